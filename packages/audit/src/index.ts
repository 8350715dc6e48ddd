/** What a cluster leans on: what survives a failure, and what is built so that it will hurt. */
export type { Component, Kind } from "./components.ts";
export { type AuditFinding, FINDINGS, type FindingCode } from "./findings/finding.ts";
export { audit } from "./findings/index.ts";
export type { Outcome, Service, Status } from "./outcome.ts";
export {
  type Consequence,
  type SinglePoint,
  UnknownComponentError,
  type WhatIf,
  lose,
  singlePoints,
  whatIf,
} from "./whatif.ts";
export { auditDiagnostics } from "./report.ts";
