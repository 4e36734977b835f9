// npm's `scim-patch`, the PATCH that most SCIM servers in Node use, run over many cases at once.
//
// Reads one JSON array from standard input: {resource, operations} for each case.
// Writes one JSON array: {resource} or {error} for each.

import { readFileSync } from 'node:fs';

import scim from 'scim-patch';

const answer = ({ resource, operations }) => {
  try {
    scim.patchBodyValidation({ schemas: [scim.PATCH_OPERATION_SCHEMA], Operations: operations });
    return { resource: scim.scimPatch(resource, operations, { mutateDocument: false, treatMissingAsAdd: true }) };
  } catch (error) {
    return { error: error.message };
  }
};

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(answer)));
