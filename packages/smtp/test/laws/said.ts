/** All that a machine has said, and how much of it was read. */
export class Said {
  text = '';
  #read = 0;

  add(text: string): void {
    this.text += text;
  }

  /** The next line, without its CRLF; throws when there is no whole one. */
  line(): string {
    const end = this.text.indexOf('\r\n', this.#read);
    if (end === -1) throw new Error(`No whole line in ${JSON.stringify(this.rest())}`);
    const line = this.text.slice(this.#read, end);
    this.#read = end + 2;
    return line;
  }

  /** What was not read yet. */
  rest(): string {
    return this.text.slice(this.#read);
  }
}
