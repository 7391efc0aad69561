/** Ids that YAML, and YAML 1.1 (PyYAML) above all, would read as something else than the text they are. */
export const ODD_IDS: readonly string[] = [
  'y', 'Y', 'n', 'yes', 'No', 'ON', 'off', 'true', 'False', 'null', 'Null', '~', '-', '--', '---', '...', '?', ':', '=', '<<', '!', '!!str', '&a', '*a', '%TAG', '@x', '`x`',
  '123', '+1', '-1', '012', '0o7', '0x1F', '0b11', '1_000', '1:30', '190:20:30', '1.5', '.5', '5.', '1e3', '1.5e+3', '12e03', '.inf', '-.INF', '.nan', '.NaN', '685_230.15',
  '2020-01-01', '2001-12-14t21:59:43.10-05:00', '2020-01-01 10:00:00', 'a: b', 'a:', ':a', 'a #b', '#a', '- x', '? x', '[a]', '{a}', '{', ']', ',', "'", "''", '"', 'it\'s "x"', '\\', '\\n',
  ' a', 'a ', ' ', '|', '>', '|-', '空格 id', '😀', 'é', 'e\u0301', '\u00a0', '\u2028', 'a\u2029b', '\ufeff', '\ufffe', '\uffff', '\u{10ffff}', '__proto__', 'constructor', 'x'.repeat(256), '界'.repeat(85), '"'.repeat(256), ' '.repeat(256), '\u2028'.repeat(85),
  'last_seen', 'status', 'a/b', 'C:\\x', '${x}', '%s',
];
