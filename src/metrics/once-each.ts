/** A function of objects that is worked out once for each: rows are scored again and again where they are drawn with replacement. */
export function onceEach<Key extends object, Result>(of: (key: Key) => Result): (key: Key) => Result {
  const known = new WeakMap<Key, Result>()
  return (key) => {
    if (!known.has(key)) known.set(key, of(key))
    return known.get(key)!
  }
}
