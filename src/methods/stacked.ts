import { type Method, unmixed } from '../nn/method.ts'

/**
 * Methods that act at branches, each on what the one before it leaves there (adapter-hub's `Stack`). Their roles begin with the
 * member's number.
 */
export function stacked(members: readonly Method[]): Method {
  return {
    name: 'stack',
    ...unmixed,
    parameters: (site) =>
      Object.fromEntries(
        members.flatMap((member, k) => Object.entries(member.parameters(site)).map(([role, spec]) => [stackedRole(k, role), spec])),
      ),
    branch: (site, roles, call) =>
      members.reduce((value, member, k) => {
        const own = Object.keys(member.parameters(site)).map((role) => [role, roles[stackedRole(k, role)]!] as const)
        return own.length === 0 ? value : member.branch!(site, Object.fromEntries(own), { ...call, value })
      }, call.value),
    trains: () => false,
  }
}

/** The role in a stack that a member's role has. */
export const stackedRole = (member: number, role: string): string => `${member}.${role}`
