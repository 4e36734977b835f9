// Calls of our own API with the browser's session. Problems (RFC 9457) are thrown as `Problem`.

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `The server answered ${status}.`);
    this.status = status;
    this.code = body.code ?? "unknown";
    this.requestId = body.request_id ?? "";
  }
}

let csrfToken = null;

/** Return who is signed in here, or null. */
export async function whoAmI() {
  try {
    const me = await call("GET", "/api/v2/me");
    csrfToken = me.csrf_token;
    return me;
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 401) return null;
    throw problem;
  }
}

/** Make one call; changes carry the token that only our own pages know. */
export async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrfToken !== null) headers["X-CSRF-Token"] = csrfToken;
  const reply = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await reply.text();
  const found = text === "" ? null : JSON.parse(text);
  if (!reply.ok) throw new Problem(reply.status, found ?? {});
  return found;
}
