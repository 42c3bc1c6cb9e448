"""ZooKeeper's records and numbers: *.jute and constants.tsv in, C++ out."""
import os
import re

from schema import DefinitionError, snake

PRIMITIVES = {'int': ('int32_t', 'i32', 4), 'long': ('int64_t', 'i64', 8), 'boolean': ('bool', 'boolean', 1),
              'ustring': ('std::string', 'ustring', 4), 'ustring?': ('std::optional<std::string>', 'buffer', 4),
              'buffer': ('std::optional<std::string>', 'buffer', 4)}


class Field:
    def __init__(self, record, type_name, name, optional, about, fail):
        self.name, self.cpp, self.optional, self.about = name, snake(name[0].upper() + name[1:]), optional, about
        self.strict = type_name.endswith('!')
        type_name = type_name.rstrip('!')
        self.vector = type_name.startswith('vector<')
        self.base = type_name[len('vector<'):-1] if self.vector else type_name
        self.record = None if self.base in PRIMITIVES else record.known.get(self.base)
        if self.base not in PRIMITIVES and self.record is None:
            fail('unknown type "%s"' % type_name)
        if optional and (self.vector or self.record):
            fail('only a plain field may be optional')
        if self.strict and self.base != 'ustring' and not self.vector:
            fail('only a ustring or a vector may refuse null')

    def element(self):
        return self.record.name if self.record else PRIMITIVES[self.base][0]

    def member(self):
        kind = 'std::vector<%s>' % self.element() if self.vector else self.element()
        if self.optional:
            return 'std::optional<%s> %s;' % (kind, self.cpp)
        default = '' if self.vector or self.record or 'std::' in kind else ' = false' if kind == 'bool' else ' = 0'
        return '%s %s%s;' % (kind, self.cpp, default)

    def min_bytes(self):
        if self.optional:
            return 0
        return 4 if self.vector else self.element_bytes()

    def element_bytes(self):
        return self.record.min_bytes() if self.record else PRIMITIVES[self.base][2]

    def read(self):
        if self.record and not self.vector:
            return ['read(in, out.%s);' % self.cpp]
        getter = 'in.%s("%s")' % ('not_null_' * (self.strict and self.base == 'ustring') + PRIMITIVES.get(self.base, ('', ''))[1],
                                  self.cpp)
        if not self.vector:
            line = 'out.%s = %s;' % (self.cpp, getter)
            return ['if (in.remaining() > 0) ' + line if self.optional else line]
        step = ('read(in, out.%s.emplace_back());' % self.cpp if self.record else
                'out.%s.push_back(%s);' % (self.cpp, getter))
        return ['for (size_t n = in.%svector("%s", %d, sizeof(%s)); n > 0 && in.ok(); --n) {' % (
            'not_null_' * self.strict, self.cpp, self.element_bytes(), self.element()), '  ' + step, '}']

    def write_one(self, source):
        if self.record:
            return 'write(out, %s);' % source
        if self.base in ('ustring', 'ustring?', 'buffer'):
            return 'jute::write_%s(out, %s);' % ('ustring' if self.base == 'ustring' else 'buffer', source)
        return 'out.%s(%s);' % (PRIMITIVES[self.base][1], source)

    def write(self):
        source = 'value.%s' % self.cpp
        if self.vector:
            return ['out.i32(static_cast<int32_t>(%s.size()));' % source,
                    'for (const auto& element : %s) %s' % (source, self.write_one('element'))]
        if self.optional:
            return ['if (%s) %s' % (source, self.write_one('*' + source))]
        return [self.write_one(source)]

    def print_one(self, source):
        if self.record:
            return 'print(out, %s);' % source
        return 'out.%s(%s);' % ({'int': 'integer', 'long': 'integer', 'boolean': 'boolean', 'ustring': 'string',
                                 'ustring?': 'nullable_string', 'buffer': 'nullable_bytes'}[self.base], source)

    def print(self):
        source = 'value.%s' % self.cpp
        if self.vector:
            return ['out.open_array();',
                    'for (size_t i = 0; i < %s.size() && out.element(i, %s.size()); ++i) {' % (source, source),
                    '  ' + self.print_one(source + '[i]'), '}', 'out.close_array();']
        if self.optional:
            return ['if (%s) {' % source, '  ' + self.print_one('*' + source), '} else {', '  out.null();', '}']
        return [self.print_one(source)]


class Record:
    def __init__(self, name, about, known):
        self.name, self.about, self.known, self.fields = name, about, known, []

    def min_bytes(self):
        return sum(f.min_bytes() for f in self.fields)

    def header(self):
        lines = ['// ' + line for line in self.about] + ['struct %s {' % self.name]
        for field in self.fields:
            lines.append('  %s%s' % (field.member(), '  // ' + field.about if field.about else ''))
        return '\n'.join(lines + [
            '', '  void encode(ByteWriter& out) const;',
            '  static Result<%s> decode(ByteReader& in);' % self.name,
            '  std::string to_string() const;',
            '  bool operator==(const %s&) const = default;' % self.name, '};', ''])

    def code(self):
        name = self.name
        body = lambda lines: ['  ' + line for line in lines]
        lines = ['// %s' % name, 'namespace {', '', 'void read(FieldReader& in, %s& out) {' % name]
        for field in self.fields:
            lines += body(field.read())
        lines += ['}', '', 'void write(ByteWriter& out, const %s& value) {' % name]
        for field in self.fields:
            lines += body(field.write())
        lines += ['}', '', 'void print(FieldPrinter& out, const %s& value) {' % name, '  out.open();']
        for field in self.fields:
            lines += ['  out.name("%s");' % field.cpp] + body(field.print())
        lines += ['  out.close();', '}', '', '}  // namespace', '',
                  'void %s::encode(ByteWriter& out) const { write(out, *this); }' % name, '',
                  'Result<%s> %s::decode(ByteReader& in) {' % (name, name),
                  '  FieldReader reader(in, "%s");' % name, '  %s value;' % name, '  read(reader, value);',
                  '  if (!reader.ok()) return reader.error();', '  return value;', '}', '',
                  'std::string %s::to_string() const {' % name, '  FieldPrinter printer("%s");' % name,
                  '  print(printer, *this);', '  return printer.take();', '}', '']
        return '\n'.join(lines)


def parse(path, known):
    records, record, about = [], None, []
    with open(path, encoding='utf-8') as file:
        for number, raw in enumerate(file, 1):
            fail = lambda what: (_ for _ in ()).throw(DefinitionError(path, 'line %d' % number, what))
            text, _, note = raw.strip().partition('#')
            text, note = text.strip(), note.strip()
            if record is None and not text:
                about = about + [note] if note else []
                continue
            start = re.fullmatch(r'record (\w+) \{', text)
            if record is None:
                if not start:
                    next(fail('expected "record NAME {"'))
                if start[1] in known:
                    next(fail('a second definition of %s' % start[1]))
                record = Record(start[1], about, known)
                about = []
            elif text == '}':
                names = [f.cpp for f in record.fields]
                if len(set(names)) != len(names):
                    next(fail('%s has two fields of one name' % record.name))
                if any(f.optional for f in record.fields[:-1]):
                    next(fail('only the last field may be optional'))
                known[record.name] = record
                records.append(record)
                record = None
            elif text:
                field = re.fullmatch(r'(\S+) (\w+)( optional)?', text)
                if not field:
                    next(fail('expected "TYPE NAME"'))
                record.fields.append(Field(record, field[1], field[2], bool(field[3]), note,
                                           lambda what: next(fail('%s.%s: %s' % (record.name, field[2], what)))))
    if record is not None:
        raise DefinitionError(path, record.name, 'no closing brace')
    return records


def records_header(records):
    return ('#pragma once\n// The records of ZooKeeper\'s protocol, of its transaction log and its snapshots.\n\n'
            '#include <cstdint>\n#include <optional>\n#include <string>\n#include <vector>\n\n'
            '#include "common/bytes/byte_reader.h"\n#include "common/bytes/byte_writer.h"\n'
            '#include "common/result.h"\n\nnamespace odradek::zookeeper {\n\n' +
            '\n'.join(r.header() for r in records) + '\n}  // namespace odradek::zookeeper\n')


def records_code(records):
    return ('#include "proto/zookeeper/records.h"\n\n#include "common/bytes/jute.h"\n'
            '#include "common/bytes/kafka_codec.h"\n\nnamespace odradek::zookeeper {\n\n'
            'using jute::FieldReader;\nusing kafka::FieldPrinter;\n\n' + '\n'.join(r.code() for r in records) +
            '\n}  // namespace odradek::zookeeper\n')


def constants(path):
    sets, plain = {}, set()
    with open(path, encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            row = line.rstrip('\n').split('\t')
            if line.startswith('#') or not line.strip():
                continue
            if row[0] == 'plain':
                plain.add(row[1])
                continue
            if len(row) != 4 or not re.fullmatch(r'-?\d+', row[2]):
                raise DefinitionError(path, 'line %d' % number, 'expected set, name, value, meaning')
            rows = sets.setdefault(row[0], [])
            if any(r[0] == row[1] or r[1] == row[2] for r in rows):
                raise DefinitionError(path, 'line %d' % number, '%s or its value is there twice' % row[1])
            rows.append(row[1:])
    h, cc = [], []
    for name, rows in sets.items():
        constant = lambda n: 'k' + n[0].upper() + n[1:]
        h.append('struct %s {' % name if name in plain else 'enum class %s : int32_t {' % name)
        for row_name, value, about in rows:
            line = ('  static constexpr int32_t %s = %s;' if name in plain else '  %s = %s,') % (constant(row_name), value)
            h.append(line + ('  // ' + about if about else ''))
        h.append('};')
        if name not in plain:
            h += ['// The name as above without the k; empty for a value that is none of them.',
                  'std::string_view name_of(%s value);' % name,
                  '// Nothing for a number that is none of them.',
                  'std::optional<%s> find_%s(int32_t value);' % (name, snake(name))]
            cc += ['std::string_view name_of(%s value) {' % name, '  switch (value) {']
            cc += ['    case %s::%s: return "%s";' % (name, constant(r[0]), constant(r[0])[1:]) for r in rows]
            cc += ['  }', '  return {};', '}', '', 'std::optional<%s> find_%s(int32_t value) {' % (name, snake(name)),
                   '  if (name_of(static_cast<%s>(value)).empty()) return std::nullopt;' % name,
                   '  return static_cast<%s>(value);' % name, '}', '']
        h.append('')
    return ('#pragma once\n// The numbers of ZooKeeper\'s protocol.\n\n#include <cstdint>\n#include <optional>\n'
            '#include <string_view>\n\nnamespace odradek::zookeeper {\n\n' + '\n'.join(h) +
            '\n}  // namespace odradek::zookeeper\n',
            '#include "proto/zookeeper/opcodes.h"\n\nnamespace odradek::zookeeper {\n\n' + '\n'.join(cc) +
            '\n}  // namespace odradek::zookeeper\n')


def generate(paths):
    known, records = {}, []
    # data.jute first: the others are made of its records
    for path in sorted((p for p in paths if p.endswith('.jute')), key=lambda p: (os.path.basename(p) != 'data.jute', p)):
        records += parse(path, known)
    files = {'records.h': records_header(records), 'records.cc': records_code(records)}
    files['opcodes.h'], files['opcodes.cc'] = constants([p for p in paths if p.endswith('constants.tsv')][0])
    files['record_list.h'] = (
        '#pragma once\n// ODRADEK_ZOOKEEPER_RECORDS(X): X(Id) X(ACL) ... for every record.\n\n'
        '#define ODRADEK_ZOOKEEPER_RECORDS(X)' + ''.join(' \\\n  X(%s)' % r.name for r in records) + '\n')
    return files
