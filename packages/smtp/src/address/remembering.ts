/** How much is remembered. */
interface Memory<T> {
  /** Addresses, at most; then it begins anew. */
  readonly most: number;
  /** Whether an answer is small enough to be kept. */
  readonly isWorth?: (answer: T) => boolean;
}

/** The same answers, looked up once for each address: a session and its delivery ask several times for every recipient. */
export function remembering<T>(ask: (address: string) => T, { most, isWorth }: Memory<T>): typeof ask {
  const answers = new Map<string, T>();
  return (address) => {
    let answer = answers.get(address);
    if (answer === undefined) {
      answer = ask(address);
      if (answers.size >= most) answers.clear();
      if (isWorth === undefined || isWorth(answer)) answers.set(address, answer);
    }
    return answer;
  };
}
