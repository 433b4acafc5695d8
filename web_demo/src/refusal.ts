/** What the user gave, or the device has, cannot be used. The text is one line that says what to do. */
export class Refusal extends Error {}
