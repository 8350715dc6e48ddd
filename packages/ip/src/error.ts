/** Text or bytes that are no address or prefix. The message says what is wrong; `text` is the input as given. */
export class AddressError extends Error {
  override readonly name = "AddressError";
  readonly fault = "input";
  readonly text: string;

  constructor(text: string, reason: string) {
    super(`${JSON.stringify(text)} ${reason}`);
    this.text = text;
  }
}
