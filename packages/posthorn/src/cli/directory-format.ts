import type { AddressTrace, Way } from '../mta/trace-address.ts';
import { printable } from './terminal.ts';

/** A trace for people: who it is on the first line, then a line for each way. */
export function formatTrace(trace: AddressTrace): string {
  const lines = [`${trace.address}: ${describe(trace)}`, ...trace.ways.flatMap((way) => linesOf(way, '  '))];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function describe({ entry, isAddress, loops }: AddressTrace): string {
  if (!isAddress) return 'no address';
  if (loops) return 'an alias that leads round in a circle';
  switch (entry.kind) {
    case 'mailbox': {
      const { address, fullName, quota, disabled } = entry;
      const about = [
        ...(fullName === undefined ? [] : [`of ${fullName}`]),
        ...(quota === undefined ? [] : [`${quota} octets at most`]),
        ...(disabled === true ? ['disabled'] : []),
      ];
      return `the mailbox ${address}${about.map((each) => `, ${each}`).join('')}`;
    }
    case 'alias':
      return `the alias ${entry.address}`;
    case 'list':
      return `the list ${entry.address}`;
    case 'forward':
      return `${entry.address}, who moved to ${entry.to} (${entry.mode}${entry.confidential === true ? ', in confidence' : ''})`;
    case 'gateway':
      return 'a number behind the gateway of its domain';
    case 'malformed':
      return 'no number that can be dialled';
    case 'relay':
      return 'of a domain that mail is passed on for';
    case 'unknown-mailbox':
      return 'nobody here';
    case 'foreign':
      return 'of another domain';
  }
}

function linesOf(way: Way, indent: string): string[] {
  const { address, nextHop, hosts = [], obstacle, onward = [] } = way;
  const trouble = obstacle === undefined ? '' : `: ${obstacle.status} ${obstacle.text}`;
  return [
    `${indent}${address} -> ${nextHop}${trouble}`,
    ...hosts.map(({ name, addresses }) => `${indent}  ${name} ${addresses.map((each) => each.address).join(' ')}`),
    ...onward.flatMap((next) => linesOf(next, `${indent}  `)),
  ];
}
