const PLACEHOLDER =
  /^(?:\$[({A-Za-z_]|\{\{?|<|%[A-Za-z(]|\*+$|x{3,}$|X{3,}$|\.{3}|…|\[redacted:|#\{|@[A-Za-z{]|(?:null|none|nil|true|false|undefined|optional|required|string|number|boolean|object|any|unknown|never|void|str|int|bool|bytes|env|file|process|include|omit|same-origin|your|my)(?![A-Za-z0-9]))/;

/** Something that stands where a secret would: a variable, a type, an example's blank. */
export function isPlaceholder(value: string): boolean {
  return (
    PLACEHOLDER.test(value) ||
    /^(?:your|my|the|some)[-_ ]/i.test(value) ||
    /\[redacted:/.test(value)
  );
}
