// The pages of the settings: who sees which. The server decides; this only keeps doors shut that lead nowhere.
import type { Role } from '../lib/api';

export interface SettingsPage {
  name: string;
  section: 'clinic' | 'policies' | 'evidence' | 'patients';
  roles: readonly Role[];
}

const EVERYBODY: readonly Role[] = ['agent', 'lead', 'admin', 'auditor'];
const LOOKING: readonly Role[] = ['lead', 'admin', 'auditor'];
const ADMINS: readonly Role[] = ['admin', 'auditor'];

export const PAGES: readonly SettingsPage[] = [
  { name: 'organization', section: 'clinic', roles: EVERYBODY },
  { name: 'facilities', section: 'clinic', roles: EVERYBODY },
  { name: 'teams', section: 'clinic', roles: EVERYBODY },
  { name: 'people', section: 'clinic', roles: EVERYBODY },
  { name: 'numbers', section: 'clinic', roles: EVERYBODY },
  { name: 'messaging', section: 'clinic', roles: LOOKING },
  { name: 'lock', section: 'clinic', roles: LOOKING },
  { name: 'accounts', section: 'clinic', roles: ADMINS },
  { name: 'tokens', section: 'clinic', roles: ADMINS },
  { name: 'webhooks', section: 'clinic', roles: ADMINS },
  { name: 'password', section: 'clinic', roles: EVERYBODY },
  { name: 'policies', section: 'policies', roles: EVERYBODY },
  { name: 'backtests', section: 'policies', roles: LOOKING },
  { name: 'notices', section: 'policies', roles: LOOKING },
  { name: 'decisions', section: 'evidence', roles: EVERYBODY },
  { name: 'dead-letters', section: 'evidence', roles: LOOKING },
  { name: 'deliveries', section: 'evidence', roles: ADMINS },
  { name: 'audit', section: 'evidence', roles: ADMINS },
  { name: 'rosters', section: 'patients', roles: ADMINS },
  { name: 'opt-outs', section: 'patients', roles: EVERYBODY },
  { name: 'identity', section: 'patients', roles: LOOKING },
];
