-- Pictures of people whose user is created tonight: written after that, so that a picture that deskbird refuses keeps nobody out.
-- Reads: photos_wanted. Adds to: draft.
insert into draft
select 'user', 'update', hris_ref, null, null, null,
    json_object('photo', null), json_object('photo', digest), null,
    'photo_of_new_user', '{}', 'photo:' || hris_ref, 8000000, []
from (select hris_ref from draft where object = 'user' and action = 'create') join photos_wanted using (hris_ref)
where is_here;
