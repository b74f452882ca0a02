/** Exit codes of mail programs: sysexits.h. */
export const sysexits = {
  usage: 64,
  data: 65,
  noUser: 67,
  unavailable: 69,
  temporary: 75,
  permission: 77,
  configuration: 78,
} as const;
