import type { z } from 'zod';
import { show } from './field.ts';
import { suggest } from './suggest.ts';

const shapes: Readonly<Record<string, readonly [string, string]>> = {
  object: ['an object', 'Write it with braces: { … }.'],
  record: ['an object', 'Write it with braces: { "name": … }.'],
  array: ['a list', 'Write it with brackets: [ … ].'],
};

/** Says of an issue that the schema itself finds what is wrong and, on a second line, what to do. */
export function explain(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => explainKey(key, Object.keys(knownMembers(issue)))).join('\n\n');
    case 'invalid_type': {
      const [name, remedy] = shapes[issue.expected] ?? [issue.expected, 'Correct its type.'];
      if (issue.input === undefined) return `is missing\n${remedy}`;
      return `must be ${name}; it is ${show(issue.input)}\n${remedy}`;
    }
    case 'too_small':
      return 'must not be empty\nWrite at least one element.';
    case 'invalid_union':
      return explainRole(issue);
    default:
      return issue.message ?? 'is faulty\nCorrect it.';
  }
}

function knownMembers(issue: z.core.$ZodRawIssue): object {
  const shape: unknown = (issue.inst as { shape?: unknown } | undefined)?.shape;
  return typeof shape === 'object' && shape !== null ? shape : {};
}

function explainKey(key: string, known: readonly string[]): string {
  const meant = suggest(key, known);
  const choices = `Take it away; known here are ${known.join(', ')}.`;
  return `is not known here\n${meant === undefined ? choices : `Did you mean ${meant}?`}`;
}

/** The role of a listener is the one thing that decides between forms. */
function explainRole(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  const { options = [] } = issue as { options?: readonly unknown[] };
  const roles = options.map(String);
  const given: unknown = isObject(issue.input) ? issue.input.role : issue.input;
  const remedy = `Write one of ${roles.join(', ')}.`;
  if (given === undefined) return `is missing\n${remedy}`;
  const meant = typeof given === 'string' ? suggest(given, roles) : undefined;
  return `is no role of a listener; it is ${show(given)}\n${meant === undefined ? remedy : `Did you mean ${meant}?`}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
