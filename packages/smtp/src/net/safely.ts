/** A listener that throws must not end the process that it was to keep running. */
export function safely<What extends unknown[]>(listener: (...what: What) => void): (...what: What) => void {
  return (...what) => {
    try {
      listener(...what);
    } catch (fault) {
      console.error(fault, ...what);
    }
  };
}
