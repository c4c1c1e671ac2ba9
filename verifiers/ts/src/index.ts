/**
 * Checks Shockwave receipts, disclosures, consistency proofs and exports offline. Written from docs/formats alone; shares no line with the server; needs no platform but
 * ECMAScript's own, so that it runs in a browser too.
 */

export type { ExportFiles, Source } from "./export.js";
export { verifyExport } from "./fsck.js";
export { type Policy, parsePolicy, policyOfKeys } from "./policy.js";
export { Code, conclude, Failure, malformed, type Report, type Step, type Verdict } from "./verdict.js";
export { isSdJwt } from "./sdjwt.js";
export { trimmed, verifyConsistency, verifyDisclosure, verifyReceipt } from "./verify.js";
