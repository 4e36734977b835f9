// The certified OpenID provider `oidc-provider`, set up as strictly as an operator would: PKCE for everybody, a confidential
// client, people's claims at the userinfo endpoint only, both kinds of logout. What it does is its own; here are only settings.
//
// Reads one JSON object from standard input, and serves on loopback until that is closed:
//   issuer, port            where it is
//   jwks                    its keys, private halves included
//   client                  {client_id, client_secret, redirect_uris, post_logout_redirect_uris, backchannel_logout_uri}
//   accounts                login name to claims
// Writes {"ready": true}, then a line for each back-channel logout: {"logout": subject, "error": text or null}.

import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { Provider } from 'oidc-provider';

console.info = console.error; // what it has to say for itself goes to the log, standard output is ours
const lines = createInterface({ input: process.stdin });
const [line] = await once(lines, 'line');
const config = JSON.parse(line);
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const provider = new Provider(config.issuer, {
  clients: [{
    ...config.client,
    backchannel_logout_session_required: true,
    grant_types: ['authorization_code'],
    require_auth_time: true,
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  cookies: { keys: ['only this process and its tests know this key'] },
  features: {
    backchannelLogout: { enabled: true },
    devInteractions: { enabled: true }, // its own pages: anybody signs in, with any password
    rpInitiatedLogout: { enabled: true },
  },
  fetch: (url, { dispatcher, ...options }) => fetch(url, options), // its guard against inner addresses would refuse loopback
  findAccount: (_context, id) => config.accounts[id] && {
    accountId: id,
    claims: () => ({ sub: id, ...config.accounts[id] }),
  },
  jwks: config.jwks,
  pkce: { required: () => true },
  ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
});
provider.on('backchannel.success', (_context, _client, subject) => tell({ logout: subject, error: null }));
provider.on('backchannel.error', (_context, error, _client, subject) => tell({ logout: subject, error: error.message }));
provider.on('server_error', (_context, error) => process.stderr.write(`${error.stack}\n`));

const server = provider.listen(config.port, '127.0.0.1', () => tell({ ready: true }));
lines.on('close', () => {
  server.closeAllConnections();
  server.close();
});
