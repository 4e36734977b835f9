// The first page: where to sign in, or who is signed in.

import { call, whoAmI } from "./api.js";
import { element, problemNote } from "./elements.js";

const account = document.getElementById("account");

// What `GET /oauth/slack/callback` ends with; codes that are not here are shown as they are.
const SLACK_RESULTS = {
  connected: "Slack is connected: the channel you chose is told what happens from now on.",
  slack_install_denied: "Slack was not connected: the installation was not allowed there.",
  slack_install_refused: "Slack was not connected: this installation was used, took longer than ten minutes, or is somebody else's. Begin again.",
};

function slackNote() {
  const result = new URLSearchParams(location.search).get("slack_install");
  if (result === null) return [];
  const text = SLACK_RESULTS[result] ?? `Slack was not connected (${result.slice(0, 50)}).`;
  return [element("p", { id: "slack-install", role: "status" }, text)];
}

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
    ...slackNote(),
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
