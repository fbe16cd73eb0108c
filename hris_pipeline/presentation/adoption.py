"""What the first contact with a deskbird in use would do, in sentences."""

from hris_pipeline.reports.adoption import Adoption
from hris_pipeline.wording import count


def sentences(found: Adoption, company: str) -> list[str]:
    """The report, a line each."""
    lines = [
        f"First contact: deskbird has {count(found.active, 'active user')}.",
        (
            f"{found.ours:,} carry our marker already, {found.would_link:,} would be linked by "
            "their e-mail address."
        ),
    ]
    if found.taken_over:
        lines.append(
            f"{found.taken_over:,} of these are marked by another system and would get our marker: "
            "take_over is on."
        )
    if found.other_system:
        lines.append(
            f"{found.other_system:,} are marked by another system, such as an identity provider; "
            f"{found.other_system_in_hris:,} of them have the e-mail address of somebody in the "
            "HR system."
        )
        lines.append("They are left as they are until somebody decides.")
    lines.append(
        f"{found.by_hand:,} were made by hand and belong to nobody in the HR system: they are left "
        "as they are."
    )
    if found.disputed:
        lines.append(
            f"{found.disputed:,} without a marker may be several people's, or one of several users "
            "of a person."
        )
    lines.append(f"{found.to_create:,} would be created. Nobody is deactivated on a first run.")
    if found.conflicts:
        lines.append(
            f"{count(found.conflicts, 'person', 'people')} first need a decision about whose user "
            f"is whose: hris-pipeline review {company}"
        )
    if found.other_system_in_hris:
        lines += [
            (
                f"One decision for all that fit: hris-pipeline link {company} --all-by-email "
                "--because TEXT"
            ),
            (
                f"Row by row: hris-pipeline review {company} --out FILE.csv   then: hris-pipeline "
                f"link {company} --from FILE.csv"
            ),
            (
                "Moving from the other system to this one for good: deskbird.take_over: true in "
                "the company file."
            ),
        ]
    return lines
