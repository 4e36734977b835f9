// The first page: where to sign in, or who is signed in.

import { call, whoAmI } from "./api.js";
import { element, problemNote } from "./elements.js";

const account = document.getElementById("account");

async function signOut() {
  const { logout_url: elsewhere } = await call("POST", "/auth/logout");
  location.assign(elsewhere ?? "/");
}

async function signInLinks() {
  const { items } = await call("GET", "/auth/providers");
  if (items.length === 0) return [element("p", { class: "problem" }, "No identity provider is configured.")];
  return items.map((item) =>
    element("p", {}, element("a", { class: "action", href: `/auth/login?provider=${item.id}` }, `Sign in with ${item.name}`)),
  );
}

async function welcome(me) {
  const { items } = await call("GET", "/api/v2/orgs");
  const orgs = items.map((org) => element("li", {}, element("strong", {}, org.name), ` ${org.role}, plan ${org.plan}`));
  const none = element("p", { class: "quiet" }, "You belong to no organisation yet: accept an invitation, or make one with POST /api/v2/orgs.");
  return [
    element("p", { id: "who" }, "Signed in as ", element("strong", {}, me.name ?? me.email), ` (${me.email})`),
    orgs.length > 0 ? element("ul", { "aria-label": "Your organisations" }, ...orgs) : none,
    element("p", {}, element("button", { class: "action", type: "button", click: () => signOut().catch(show) }, "Sign out")),
  ];
}

function show(problem) {
  account.replaceChildren(problemNote(problem));
}

try {
  const me = await whoAmI();
  account.replaceChildren(...(me === null ? await signInLinks() : await welcome(me)));
} catch (problem) {
  show(problem);
}
account.setAttribute("aria-busy", "false");
