import { z } from 'zod';
import { explain } from './explain.ts';

/**
 * A schema for an object whose keys are names of the writer's choice. Unlike a record of the library it checks the value
 * of a faulty key too, and finds keys that are the same once they are in the form they are compared in.
 */
export function named<Value extends z.ZodType>(key: z.ZodType<string>, value: Value) {
  return z
    .custom<Readonly<Record<string, z.input<Value>>>>(() => true)
    .transform((input, context): Readonly<Record<string, z.output<Value>>> => {
      const output = new Map<string, z.output<Value>>();
      if (typeof input !== 'object' || input === null || Array.isArray(input)) {
        context.issues.push({ code: 'invalid_type', expected: 'record', input });
        return z.NEVER;
      }
      const first = new Map<string, string>();
      for (const [name, member] of Object.entries(input)) {
        const checkedKey = key.safeParse(name, { error: explain });
        const checked = value.safeParse(member, { error: explain });
        for (const issue of [...(checkedKey.error?.issues ?? []), ...(checked.error?.issues ?? [])]) {
          context.issues.push({ ...issue, path: [name, ...issue.path], input: undefined });
        }
        const normal = checkedKey.data ?? name;
        const twin = first.get(normal);
        if (twin !== undefined) {
          const message = `is the same as ${JSON.stringify(twin)}\nPut both into one.`;
          context.issues.push({ code: 'custom', message, path: [name], input: undefined });
        }
        first.set(normal, twin ?? name);
        if (checked.success) output.set(normal, checked.data);
      }
      return Object.fromEntries(output);
    });
}
