import type { PolicyView } from '../lib/api';

export const HOOKS = ['identity', 'routing', 'replies', 'shortcuts'] as const;

interface Manifest {
  title?: string;
  description?: string;
  hooks?: string[];
  patient_fields?: string[];
  settings_schema?: object;
  default_settings?: unknown;
}

/** A policy's own description. */
export const manifestOf = (policy: PolicyView): Manifest => (typeof policy.manifest === 'object' && policy.manifest !== null ? (policy.manifest as Manifest) : {});
export const titleOf = (policy: PolicyView): string => manifestOf(policy).title || policy.name;
/** The hooks it serves: as found at the upload, else as it says. */
export const hooksOf = (policy: PolicyView): string[] => policy.hooks ?? manifestOf(policy).hooks ?? [];
