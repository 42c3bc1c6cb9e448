"""Emits the C++ of Kafka's messages: a header a definition, the code in a few bundles, the table of APIs."""
import textwrap

from schema import INTEGERS, MAX_VERSION, Versions

CPP = {'bool': 'bool', 'int8': 'int8_t', 'int16': 'int16_t', 'uint16': 'uint16_t', 'int32': 'int32_t',
       'uint32': 'uint32_t', 'int64': 'int64_t', 'float64': 'double', 'uuid': 'Uuid', 'string': 'std::string',
       'bytes': 'std::string', 'records': 'Records'}
ACCESS = {'bool': 'boolean', 'int8': 'i8', 'int16': 'i16', 'uint16': 'u16', 'int32': 'i32', 'uint32': 'u32',
          'int64': 'i64', 'float64': 'f64', 'uuid': 'uuid'}
BUNDLES = 6


def comment(text, indent=''):
    return ''.join('%s// %s\n' % (indent, line) for line in textwrap.wrap(text, 112 - len(indent)))


def literal(field):
    value = field.default
    if field.base == 'bool':
        return 'true' if value else 'false'
    if field.base == 'string':
        return '"%s"' % value.replace('\\', '\\\\').replace('"', '\\"')
    if field.base in INTEGERS:
        if value == -2**31:
            return 'INT32_MIN'
        if value == -2**63:
            return 'INT64_MIN'
        return str(value)
    return repr(float(value))


def element_type(field):
    return field.struct.message.name + field.struct.name if field.struct else CPP[field.base]


def member_type(field):
    inner = element_type(field)
    if field.array:
        inner = 'std::vector<%s>' % inner
    return 'std::optional<%s>' % inner if field.optional() else inner


def member_default(field):
    if field.optional():
        if field.has_default and field.default is None:
            return ''
        if field.struct and not field.array:
            return ' = %s()' % element_type(field)
        if field.has_default:
            return ' = %s' % literal(field)
        return ' = %s()' % member_type(field)[len('std::optional<'):-1]
    if field.array or field.struct or field.base in ('bytes', 'records', 'uuid'):
        return ''
    if field.base == 'string':
        return ' = %s' % literal(field) if field.default else ''
    if field.base == 'bool':
        return ' = %s' % (literal(field) if field.has_default else 'false')
    return ' = %s' % (literal(field) if field.has_default else '0')


def condition(versions, valid):
    """A C++ test that is true in these of the valid versions; None where it always is."""
    versions = versions.meet(valid)
    if versions.empty():
        return 'false'
    parts = []
    if versions.low > valid.low:
        parts.append('version >= %d' % versions.low)
    if versions.high < valid.high:
        parts.append('version <= %d' % versions.high)
    if versions.low == versions.high and parts:
        return 'version == %d' % versions.low
    return ' && '.join(parts) or None


def indent(lines, by='  '):
    return [by + line if line else line for line in lines]


def guarded(test, lines):
    if test is None:
        return lines
    if test == 'false':
        return []
    return ['if (%s) {' % test] + indent(lines) + ['}']


class StructEmitter:
    def __init__(self, message, struct):
        self.message, self.struct = message, struct
        self.type = message.name if struct is message.root else '%s::%s' % (message.name, struct.name)
        self.valid = struct.versions.meet(message.versions)
        self.flexible = condition(message.flexible, self.valid)

    # --- the header

    def declare(self, pad):
        out = []
        for field in self.struct.fields:
            notes = []
            if field.versions.low > self.valid.low or field.versions.high < self.valid.high:
                shown = Versions(field.versions.low, MAX_VERSION if field.versions.high >= self.valid.high
                                 else field.versions.high)
                notes.append(shown.text() + '.')
            if field.optional() and field.nullable.low > field.versions.low:
                notes.append('Null from v%d.' % field.nullable.low)
            if field.about:
                notes.append(field.about)
            if notes:
                out.append(comment(' '.join(notes), pad))
            out.append('%s%s %s%s;\n' % (pad, member_type(field), field.cpp, member_default(field)))
        return ''.join(out)

    # --- reading

    def compact(self, field):
        return 'flexible' if field.compact else 'false'

    def nullable(self, field):
        return condition(field.nullable, field.versions) or 'true'

    def read_scalar(self, field, target):
        name, flag = '"%s"' % field.cpp, self.compact(field)
        if field.struct:
            return 'read(in, version, %s);' % target
        if field.base in ('string', 'bytes'):
            return '%s = in.%s(%s, %s);' % (target, field.base, name, flag)
        if field.base == 'records':
            return '%s = in.records(%s, %s, %s);' % (target, name, flag, self.nullable(field))
        return '%s = in.%s(%s);' % (target, ACCESS[field.base], name)

    def read_elements(self, field, vector):
        name = '"%s"' % field.cpp
        if field.struct:
            step = 'read(in, version, %s.emplace_back());' % vector
        elif field.base in ('string', 'bytes'):
            step = '%s.push_back(in.%s(%s, %s));' % (vector, field.base, name, self.compact(field))
        else:
            step = '%s.push_back(in.%s(%s));' % (vector, ACCESS[field.base], name)
        return ['for (; n > 0 && in.ok(); --n) %s' % step]

    def array_arguments(self, field):
        element = '%s::%s' % (self.message.name, field.struct.name) if field.struct else CPP[field.base]
        return '"%s", %s, %d, sizeof(%s)' % (field.cpp, self.compact(field), field.element_min_bytes(self.message),
                                             element)

    def read_field(self, field, tagged=False):
        target = 'out.%s' % field.cpp
        if field.array and field.optional():
            return ['if (auto count = in.nullable_array(%s, %s)) {' % (self.array_arguments(field),
                                                                       self.nullable(field)),
                    '  size_t n = *count;',
                    '  auto& elements = %s.emplace();' % target] + indent(self.read_elements(field, 'elements')) + [
                    '} else {', '  %s.reset();' % target, '}']
        if field.array:
            return ['{', '  size_t n = in.array(%s);' % self.array_arguments(field)] + indent(
                self.read_elements(field, target)) + ['}']
        if field.struct and field.optional():
            present = 'tagged_present' if tagged else 'present'
            test = 'in.%s("%s")' % (present, field.cpp)
            never = condition(field.nullable, field.versions)
            if never is not None:
                test = '!(%s) || %s' % (never, test)
            return ['if (%s) {' % test, '  read(in, version, %s.emplace());' % target, '} else {',
                    '  %s.reset();' % target, '}']
        if field.optional():
            return ['%s = in.nullable_%s("%s", %s, %s);' % (target, field.base, field.cpp, self.compact(field),
                                                           self.nullable(field))]
        return [self.read_scalar(field, target)]

    def reader(self):
        body = self.flexible_flag()
        for field in self.struct.fields:
            if field.tag is None:
                body += guarded(condition(field.versions, self.valid), self.read_field(field))
        body += self.read_tagged()
        return ['void read(FieldReader& in, int16_t version, %s& out) {' % self.type] + indent(body) + ['}', '']

    def read_tagged(self):
        if self.flexible == 'false':
            return []
        tagged = sorted((f for f in self.struct.fields if f.tag is not None), key=lambda f: f.tag)
        if not tagged:
            lines = ['in.skip_tagged_fields();']
        else:
            lines = ['for (uint32_t n_tags = in.tag_count(); n_tags > 0 && in.ok(); --n_tags) {',
                     '  TaggedField field(in);']
            chain = ''
            for field in tagged:
                test = condition(field.tagged, self.message.flexible.meet(self.valid))
                test = 'field.tag() == %d' % field.tag + (' && ' + test if test else '')
                lines += ['  %sif (%s) {' % (chain, test)] + indent(self.read_field(field, True), '    ')
                chain = '} else '
            lines += ['  } else {', '    field.skip();', '  }', '}']
        return guarded(self.flexible, lines)

    def flexible_flag(self):
        value = {None: 'true', 'false': 'false'}.get(self.flexible, self.flexible)
        return ['[[maybe_unused]] const bool flexible = %s;' % value]

    # --- writing

    def write_scalar(self, field, source, to='out'):
        flag = self.compact(field)
        if field.struct:
            return 'write(%s, version, %s);' % (to, source)
        if field.base in ('string', 'bytes'):
            return 'write_%s(%s, %s, %s);' % (field.base, to, source, flag)
        if field.base == 'records':
            return 'write_records(%s, %s, %s, %s);' % (to, source, flag, self.nullable(field))
        if field.base == 'uuid':
            return 'write_uuid(%s, %s);' % (to, source)
        return '%s.%s(%s);' % (to, ACCESS[field.base], source)

    def write_elements(self, field, vector, to):
        loop = 'const auto&' if field.struct or field.base in ('string', 'bytes', 'uuid') else 'const auto'
        return ['write_count(%s, %s.size(), %s);' % (to, vector, self.compact(field)),
                'for (%s element : %s) %s' % (loop, vector, self.write_scalar(field, 'element', to))]

    def write_field(self, field, to='out', tagged=False):
        source = 'value.%s' % field.cpp
        if field.array and field.optional():
            return ['if (%s) {' % source] + indent(self.write_elements(field, '(*%s)' % source, to)) + [
                '} else {', '  write_null_array(%s, %s, %s);' % (to, self.compact(field), self.nullable(field)), '}']
        if field.array:
            return self.write_elements(field, source, to)
        if field.struct and field.optional():
            never = condition(field.nullable, field.versions)
            mark = ('%s.i8(%s ? 1 : %d);' % (to, source, 0 if tagged else -1))
            lines = [mark if never is None else 'if (%s) %s' % (never, mark),
                     'if (%s) write(%s, version, *%s);' % (source, to, source)]
            if never is not None:
                lines.append('if (!(%s) && !%s) write(%s, version, %s::%s());' % (
                    never, source, to, self.message.name, field.struct.name))
            return lines
        if field.optional():
            return ['write_nullable_%s(%s, %s, %s, %s);' % (field.base, to, source, self.compact(field),
                                                           self.nullable(field))]
        return [self.write_scalar(field, source, to)]

    def writer(self):
        body = self.flexible_flag()
        for field in self.struct.fields:
            if field.tag is None:
                body += guarded(condition(field.versions, self.valid), self.write_field(field))
        body += self.write_tagged()
        return ['void write(ByteWriter& out, int16_t version, const %s& value) {' % self.type] + indent(body) + [
            '}', '']

    def is_set(self, field):
        source = 'value.%s' % field.cpp
        if field.optional():
            if field.has_default and field.default is None:
                return source
            return '!(%s == %s())' % (source, member_type(field)) if not field.has_default else \
                '%s != %s' % (source, literal(field))
        if field.array or field.base == 'bytes' or (field.base == 'string' and not field.default):
            return '!%s.empty()' % source
        if field.struct:
            return '!(%s == %s::%s())' % (source, self.message.name, field.struct.name)
        if field.base == 'uuid':
            return '!%s.is_zero()' % source
        return '%s != %s' % (source, literal(field) if field.has_default else 'false' if field.base == 'bool' else '0')

    def write_tagged(self):
        if self.flexible == 'false':
            return []
        tagged = sorted((f for f in self.struct.fields if f.tag is not None), key=lambda f: f.tag)
        if not tagged:
            lines = ['out.uvarint(0);']
        else:
            lines = ['TaggedFields tagged;']
            for field in tagged:
                test = condition(field.tagged, self.message.flexible.meet(self.valid))
                test = (test + ' && ' if test else '') + self.is_set(field)
                lines += ['if (%s) {' % test, '  ByteWriter& to = tagged.add(%d);' % field.tag] + indent(
                    self.write_field(field, 'to', True)) + ['}']
            lines.append('tagged.write(out);')
        return guarded(self.flexible, lines)

    # --- printing

    def print_scalar(self, field, source):
        if field.struct:
            return 'print(out, %s);' % source
        if field.base == 'bytes':
            return 'out.bytes(%s.size());' % source
        kind = {'bool': 'boolean', 'float64': 'floating'}.get(field.base)
        if field.base in ('string', 'records', 'uuid'):
            kind = field.base
        return 'out.%s(%s);' % (kind or 'integer', source)

    def print_field(self, field):
        source = 'value.%s' % field.cpp
        if field.array:
            vector = '(*%s)' % source if field.optional() else source
            lines = ['out.open_array();',
                     'for (size_t i = 0; i < %s.size() && out.element(i, %s.size()); ++i) {' % (vector, vector),
                     '  ' + self.print_scalar(field, '%s[i]' % vector), '}', 'out.close_array();']
        elif field.optional() and not field.struct:
            return ['out.nullable_%s(%s);' % (field.base, source)]
        else:
            lines = [self.print_scalar(field, '*' + source if field.optional() else source)]
        if field.optional():
            lines = ['if (!%s) {' % source, '  out.null();', '} else {'] + indent(lines) + ['}']
        return lines

    def printer(self):
        body = ['out.open();']
        for field in self.struct.fields:
            body += ['out.name("%s");' % field.cpp] + self.print_field(field)
        body.append('out.close();')
        return ['void print(FieldPrinter& out, const %s& value) {' % self.type] + indent(body) + ['}', '']


def message_header(message):
    # A nested struct stands outside: inside it would count as incomplete where a std::optional of it is a member.
    out = []
    for struct in message.structs.values():
        name = message.name + struct.name
        out.append('struct %s {\n%s' % (name, StructEmitter(message, struct).declare('  ')))
        out.append('  bool operator==(const %s&) const = default;\n};\n\n' % name)
    out.append('struct %s {\n' % message.name)
    if message.api_key is not None:
        out.append('  static constexpr int16_t kApiKey = %d;\n' % message.api_key)
    if message.record_type is not None:
        out.append('  static constexpr int16_t kRecordType = %d;  // the int16 in front of the key\n' %
                   message.record_type)
    out.append('  static constexpr int16_t kMinVersion = %d;\n' % message.versions.low)
    out.append('  static constexpr int16_t kMaxVersion = %d;\n' % message.versions.high)
    out.append('  static constexpr int16_t kFirstFlexibleVersion = %s;\n\n' %
               ('INT16_MAX' if message.flexible.empty() else message.flexible.low))
    for struct in message.structs.values():
        out.append('  using %s = %s%s;\n' % (struct.name, message.name, struct.name))
    if message.structs:
        out.append('\n')
    out.append(StructEmitter(message, message.root).declare('  '))
    out.append('\n  // The version is one of kMinVersion to kMaxVersion.\n')
    out.append('  void encode(ByteWriter& out, int16_t version) const;\n')
    out.append('  static Result<%s> decode(ByteReader& in, int16_t version);\n' % message.name)
    out.append('  std::string to_string() const;\n')
    out.append('  bool operator==(const %s&) const = default;\n};\n' % message.name)
    return ''.join(out)


def header(definition):
    out = '#pragma once\n'
    if definition.api is not None:
        out += comment('%s, API key %d. %s' % (definition.api, definition.api_key, definition.about))
    else:
        out += comment(definition.about)
    if definition.changes:
        out += comment('Versions: ' + definition.changes)
    out += '\n#include <cstdint>\n#include <optional>\n#include <string>\n#include <vector>\n\n'
    out += '#include "common/bytes/kafka_codec.h"\n#include "common/result.h"\n\nnamespace odradek::kafka {\n\n'
    out += '\n'.join(message_header(message) for message in definition.messages)
    return out + '\n}  // namespace odradek::kafka\n'


def message_code(message):
    lines = ['// %s' % message.name, 'namespace {', '']
    for struct in list(message.structs.values()) + [message.root]:
        emitter = StructEmitter(message, struct)
        lines += emitter.reader() + emitter.writer() + emitter.printer()
    name = message.name
    lines += ['}  // namespace', '',
              'void %s::encode(ByteWriter& out, int16_t version) const {' % name,
              '  CHECK(version >= kMinVersion && version <= kMaxVersion);',
              '  write(out, version, *this);', '}', '',
              'Result<%s> %s::decode(ByteReader& in, int16_t version) {' % (name, name),
              '  if (auto refused = refuse_version("%s", version, kMinVersion, kMaxVersion)) return *refused;' % name,
              '  FieldReader reader(in, "%s");' % name,
              '  %s value;' % name,
              '  read(reader, version, value);',
              '  if (!reader.ok()) return reader.error();',
              '  return value;', '}', '',
              'std::string %s::to_string() const {' % name,
              '  FieldPrinter printer("%s");' % name,
              '  print(printer, *this);', '  return printer.take();', '}', '']
    return '\n'.join(lines)


def bundles(definitions):
    """The code in a few files of about the same size: fast to compile, and parallel."""
    parts = [[0, [], []] for _ in range(BUNDLES)]
    coded = [(d, '\n'.join(message_code(m) for m in d.messages)) for d in definitions]
    for definition, code in sorted(coded, key=lambda pair: (-len(pair[1]), pair[0].stem)):
        part = min(parts, key=lambda p: p[0])
        part[0] += len(code)
        part[1].append('#include "proto/kafka/%s.h"' % definition.stem)
        part[2].append(code)
    for index, (_, includes, code) in enumerate(parts):
        yield 'messages_%d.cc' % index, '\n'.join(sorted(includes) + [
            '', '#include "common/check.h"', '', 'namespace odradek::kafka {', ''] + code + [
            '}  // namespace odradek::kafka', ''])
