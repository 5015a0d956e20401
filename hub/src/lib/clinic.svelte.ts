// What the clinic is made of: who works there, in which teams, where, and what time it is there.
import { api, type FacilityView, type NamedTeamId, type NumberView, type StaffView } from './api';

/** Read once per sign-in, and when somebody turns up who isn't in it. */
export const clinic = $state<{ staff: StaffView[]; teams: NamedTeamId[]; facilities: FacilityView[]; numbers: NumberView[]; zone: string | undefined }>({
  staff: [], teams: [], facilities: [], numbers: [], zone: undefined,
});

let loaded: Promise<void> = Promise.resolve();

export function loadClinic(): Promise<void> {
  loaded = load();
  return loaded;
}

/** What a person or a team is called; waits for the names where they are on their way. */
export async function names(): Promise<(kind: 'staff' | 'team', id: string) => string> {
  await loaded;
  return (kind, id) => (kind === 'staff' ? clinic.staff : clinic.teams).find((one) => one.id === id)?.name ?? '?';
}

async function load(): Promise<void> {
  const [staff, teams, facilities, numbers] = await Promise.allSettled([api.staff(), api.teams(), api.facilities(), api.numbers()]);
  if (staff.status === 'fulfilled') clinic.staff = staff.value.items;
  if (teams.status === 'fulfilled') clinic.teams = teams.value.items;
  if (facilities.status === 'fulfilled') {
    clinic.facilities = facilities.value.items;
    // Pages that belong to no facility show the time of the first one.
    clinic.zone = facilities.value.items[0]?.time_zone;
  }
  if (numbers.status === 'fulfilled') clinic.numbers = numbers.value.items;
}

export function forgetClinic(): void {
  Object.assign(clinic, { staff: [], teams: [], facilities: [], numbers: [], zone: undefined });
}

/** The time zone that a conversation's times are shown in. */
export function zoneOf(conversation: { facility?: { id: string } | null }): string | undefined {
  return clinic.facilities.find((one) => one.id === conversation.facility?.id)?.time_zone ?? clinic.zone;
}
