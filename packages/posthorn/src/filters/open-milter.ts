import { Failure } from '@posthorn/smtp/failure/failure';
import { formatTarget } from '@posthorn/smtp/net/connect';
import type { FilterRules } from './filter-rules.ts';
import { formatMilterCommand } from './milter-command.ts';
import { MilterConnection } from './milter-connection.ts';
import { areTermsGood, type MilterTerms, milterVersion, offeredActions, offeredSteps } from './milter-terms.ts';

/** A connection to a filter whose terms are agreed on. */
export interface NegotiatedConnection {
  readonly connection: MilterConnection;
  readonly terms: MilterTerms;
}

/**
 * Opens a connection to a filter: one for each session. That one may serve several is in the protocol, but what libmilter
 * makes of it is that the next session gets no answer. Rejects with Failure.
 */
export async function openMilter(rules: FilterRules): Promise<NegotiatedConnection> {
  const connection = await MilterConnection.open(rules);
  try {
    const offer = { version: milterVersion, actions: offeredActions, steps: offeredSteps };
    await connection.send(formatMilterCommand({ kind: 'negotiate', ...offer }));
    const said = await connection.receive(rules.times.reply);
    if (said.kind !== 'terms' || !areTermsGood(said.terms)) {
      throw new Failure('protocol', `the filter at ${formatTarget(rules.target)} wants what is not offered`);
    }
    return { connection, terms: said.terms };
  } catch (error) {
    connection.destroy();
    throw error;
  }
}
