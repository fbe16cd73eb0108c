// SCIMMY and its routers for Express as their documentation says to use them, with users and groups in memory.
//   node scimmy_server.mjs PORT TOKEN

import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";
import { randomUUID } from "node:crypto";

const [port, token] = process.argv.slice(2);

function store(kind, unique) {
    const held = new Map();
    const same = (one, two) => String(one).toLowerCase() === String(two).toLowerCase();
    const now = () => new Date().toISOString();
    return {
        ingress(resource, instance) {
            const given = JSON.parse(JSON.stringify(instance));
            if (resource.id && !held.has(resource.id)) throw new SCIMMY.Types.Error(404, null, `${kind} not found`);
            for (const [id, other] of held)
                if (id !== resource.id && same(other[unique], given[unique]))
                    throw new SCIMMY.Types.Error(409, "uniqueness", `${unique} is taken`);
            const id = resource.id ?? randomUUID();
            const created = held.get(id)?.meta.created ?? now();
            held.set(id, { ...given, id, meta: { created, lastModified: now() } });
            return held.get(id);
        },
        egress(resource) {
            if (!resource.id) return [...held.values()];
            if (!held.has(resource.id)) throw new SCIMMY.Types.Error(404, null, `${kind} not found`);
            return held.get(resource.id);
        },
        degress(resource) {
            if (!held.delete(resource.id)) throw new SCIMMY.Types.Error(404, null, `${kind} not found`);
        },
    };
}

SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser), store("user", "userName"));
SCIMMY.Resources.declare(SCIMMY.Resources.Group, store("group", "displayName"));

const app = express();
app.use("/scim", new SCIMMYRouters({
    type: "bearer",
    handler: request => {
        if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("not signed in");
        return "hris-pipeline";
    },
}));
app.listen(Number(port), "127.0.0.1");
