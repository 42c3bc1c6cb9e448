"""Kafka message definitions: read, checked, and turned into the classes that the emitter works on.

Every complaint is a DefinitionError that names the file and the field.
"""
import json
import os
import re

MAX_VERSION = 32767
INTEGERS = {
    'int8': (1, -2**7, 2**7 - 1), 'int16': (2, -2**15, 2**15 - 1), 'uint16': (2, 0, 2**16 - 1),
    'int32': (4, -2**31, 2**31 - 1), 'uint32': (4, 0, 2**32 - 1), 'int64': (8, -2**63, 2**63 - 1),
}
PRIMITIVES = set(INTEGERS) | {'bool', 'float64', 'uuid', 'string', 'bytes', 'records'}
NULLABLE = {'string', 'bytes', 'records'}
KEYWORDS = {'default', 'operator', 'class', 'struct', 'union', 'enum', 'new', 'delete', 'int', 'long', 'short',
            'bool', 'char', 'double', 'float', 'private', 'public', 'register', 'switch', 'case', 'template',
            'namespace', 'this', 'throw', 'export', 'and', 'or', 'not', 'auto', 'const', 'static'}


class DefinitionError(Exception):
    def __init__(self, path, where, what):
        super().__init__('%s: %s: %s' % (path, where, what))


class Versions:
    """An inclusive range; empty when low > high."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    @staticmethod
    def parse(text, fail):
        if text == 'none':
            return Versions(1, 0)
        match = re.fullmatch(r'(\d+)(?:(\+)|-(\d+))?', text) if isinstance(text, str) else None
        if not match:
            fail('"%s" is no version range' % text)
        low = int(match[1])
        high = MAX_VERSION if match[2] else int(match[3]) if match[3] else low
        if high < low:
            fail('the version range %s is upside down' % text)
        return Versions(low, high)

    def empty(self):
        return self.low > self.high

    def meet(self, other):
        return Versions(max(self.low, other.low), min(self.high, other.high))

    def holds(self, version):
        return self.low <= version <= self.high

    def within(self, other):
        return self.empty() or (other.low <= self.low and self.high <= other.high)

    def text(self):
        if self.high == MAX_VERSION:
            return 'v%d+' % self.low
        return 'v%d' % self.low if self.low == self.high else 'v%d-%d' % (self.low, self.high)


def snake(name):
    text = re.sub(r'(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])', '_', name).lower()
    return text + '_' if text in KEYWORDS else text


class Field:
    KEYS = {'name', 'type', 'versions', 'nullable', 'tag', 'tagged', 'flexible', 'default', 'about', 'fields'}

    def __init__(self, data, message, valid):
        self.name = data.get('name')
        if not isinstance(self.name, str) or not re.fullmatch(r'[A-Z][A-Za-z0-9]*', self.name):
            message.fail(str(self.name), 'a field name is PascalCase')
        fail = lambda what: message.fail(self.name, what)
        for key in data:
            if key not in Field.KEYS:
                fail('unknown key "%s"' % key)
        self.cpp = snake(self.name)
        self.about = data.get('about', '')
        self.array = data['type'].startswith('[]') if isinstance(data.get('type'), str) else fail('no type')
        self.base = data['type'][2:] if self.array else data['type']
        self.versions = Versions.parse(data.get('versions'), fail).meet(valid)
        if self.versions.empty():
            fail('it is in no version of its parent')
        self.nullable = Versions.parse(data.get('nullable', 'none'), fail).meet(self.versions)
        self.compact = data.get('flexible') != 'none'
        self.tag = data.get('tag')
        if (self.tag is None) != ('tagged' not in data):
            fail('"tag" and "tagged" belong together')
        self.tagged = Versions.parse(data.get('tagged', 'none'), fail).meet(self.versions)
        if self.tag is not None:
            if not isinstance(self.tag, int) or self.tag < 0:
                fail('a tag is a number from 0')
            if not self.tagged.within(message.flexible):
                fail('it is tagged in a version that is not flexible')
            if self.base == 'records':
                fail('records cannot be tagged')
            if (self.tagged.low, self.tagged.high) != (self.versions.low, self.versions.high):
                fail('tagged in some of its versions only')
        if self.base in PRIMITIVES:
            self.struct = None
            if 'fields' in data:
                fail('%s has no fields' % self.base)
        else:
            if not re.fullmatch(r'[A-Z][A-Za-z0-9]*', self.base):
                fail('unknown type "%s"' % self.base)
            self.struct = message.struct(self.base, data.get('fields'), self.versions, fail)
        if not self.nullable.empty() and not self.array and not self.struct and self.base not in NULLABLE:
            fail('a %s cannot be null' % self.base)
        self.has_default = 'default' in data
        self.default = data.get('default')
        self.check_default(fail)

    def optional(self):
        """Whether the C++ member is a std::optional."""
        return not self.nullable.empty() and not (self.base == 'records' and not self.array)

    def check_default(self, fail):
        if not self.has_default:
            return
        value = self.default
        if value is None:
            good = not self.nullable.empty()
        elif self.array or self.struct or self.base in ('uuid', 'bytes', 'records'):
            good = False
        elif self.base in INTEGERS:
            _, low, high = INTEGERS[self.base]
            good = type(value) is int and low <= value <= high
        elif self.base == 'bool':
            good = type(value) is bool
        elif self.base == 'float64':
            good = type(value) in (int, float)
        else:
            good = type(value) is str
        if not good:
            fail('the default %s does not fit its type' % json.dumps(value))

    def min_bytes(self, version, flexible):
        """The fewest bytes that this field takes in a version."""
        if not self.versions.holds(version) or self.tagged.holds(version):
            return 0
        if self.array or self.base in ('bytes', 'records'):
            return 1 if flexible and self.compact else 4
        if self.base == 'string':
            return 1 if flexible and self.compact else 2
        if self.struct:
            return 1 if self.nullable.holds(version) else self.struct.min_bytes(version)
        return {'bool': 1, 'float64': 8, 'uuid': 16}.get(self.base) or INTEGERS[self.base][0]

    def element_min_bytes(self, message):
        """The fewest bytes of one element of this array, over all versions."""
        sizes = []
        for version in range(self.versions.low, min(self.versions.high, message.versions.high) + 1):
            flexible = message.flexible.holds(version)
            if self.struct:
                sizes.append(self.struct.min_bytes(version))
            elif self.base in ('string', 'bytes'):
                sizes.append(1 if flexible else 2 if self.base == 'string' else 4)
            else:
                sizes.append({'bool': 1, 'float64': 8, 'uuid': 16}.get(self.base) or INTEGERS[self.base][0])
        if min(sizes) == 0:
            message.fail(self.name, 'an element without a byte in some version')
        return min(sizes)


class Struct:
    def __init__(self, name, message, versions):
        self.name, self.message, self.versions = name, message, versions
        self.fields = []

    def read(self, fields):
        if not isinstance(fields, list):
            self.message.fail(self.name, '"fields" is a list')
        for data in fields:
            self.fields.append(Field(data, self.message, self.versions))
        names, tags = set(), {}
        for field in self.fields:
            if field.cpp in names:
                self.message.fail(field.name, 'a second field of this name in %s' % self.name)
            names.add(field.cpp)
            if field.tag is None:
                continue
            for other in tags.get(field.tag, []):
                if not field.tagged.meet(other.tagged).empty():
                    self.message.fail(field.name, 'tag %d is taken by %s' % (field.tag, other.name))
            tags.setdefault(field.tag, []).append(field)

    def min_bytes(self, version):
        flexible = self.message.flexible.holds(version)
        return sum(f.min_bytes(version, flexible) for f in self.fields) + (1 if flexible else 0)


class Message:
    KEYS = {'name', 'versions', 'flexible', 'fields', 'record_type'}

    def __init__(self, data, path, api_key=None):
        self.path = path
        self.name = data.get('name', '?')
        for key in data:
            if key not in Message.KEYS:
                self.fail(key, 'unknown key')
        fail = lambda what: self.fail('versions', what)
        self.versions = Versions.parse(data.get('versions'), fail)
        if self.versions.high == MAX_VERSION:
            fail('a message needs a last version')
        self.flexible = Versions.parse(data.get('flexible'), fail).meet(self.versions)
        if not self.flexible.empty() and self.flexible.high != self.versions.high:
            fail('once flexible, always flexible')
        self.api_key = api_key
        self.record_type = data.get('record_type')
        self.structs = {}  # nested ones, each behind those that it contains
        self.root = Struct(self.name, self, self.versions)
        self.root.read(data.get('fields'))

    def fail(self, where, what):
        raise DefinitionError(self.path, '%s.%s' % (getattr(self, 'name', '?'), where), what)

    def struct(self, name, fields, versions, fail):
        if fields is None:
            if name not in self.structs:
                fail('unknown type "%s"' % name)
            if not versions.within(self.structs[name].versions):
                fail('%s is not there in all these versions' % name)
            return self.structs[name]
        if name in self.structs or name == self.name:
            fail('a second definition of %s' % name)
        struct = Struct(name, self, versions)
        struct.read(fields)
        self.structs[name] = struct
        return struct


class Definition:
    """One file: an API with request and response, or a few records."""
    KEYS = {'api', 'api_key', 'about', 'changes', 'messages'}

    def __init__(self, path, data):
        for key in data:
            if key not in Definition.KEYS:
                raise DefinitionError(path, key, 'unknown key')
        self.path = path
        self.stem = re.sub(r'^\d+_', '', os.path.basename(path)[:-len('.json')])
        if os.path.basename(os.path.dirname(path)) == 'records':
            self.stem = 'records/' + self.stem
        self.api, self.api_key = data.get('api'), data.get('api_key')
        self.about, self.changes = data.get('about'), data.get('changes', '')
        if not self.about:
            raise DefinitionError(path, 'about', 'a definition says what it is for')
        self.messages = [Message(m, path, self.api_key) for m in data.get('messages', [])]
        if self.api is not None:
            names = [m.name for m in self.messages]
            if names != [self.api + 'Request', self.api + 'Response']:
                raise DefinitionError(path, 'messages', 'expected %sRequest and %sResponse' % (self.api, self.api))
            if not os.path.basename(path).startswith('%02d_' % self.api_key):
                raise DefinitionError(path, 'api_key', 'the file name starts with the API key')


def load_json(path):
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file)
    except json.JSONDecodeError as error:
        raise DefinitionError(path, 'line %d' % error.lineno, error.msg)


def load_definitions(paths):
    definitions = [Definition(path, load_json(path)) for path in paths]
    names, stems = {}, {}
    for definition in definitions:
        if definition.stem in stems:
            raise DefinitionError(definition.path, definition.stem, 'the same file name as %s' % stems[definition.stem])
        stems[definition.stem] = definition.path
        for message in definition.messages:
            if message.name in names:
                raise DefinitionError(definition.path, message.name, 'already in %s' % names[message.name])
            names[message.name] = definition.path
    return definitions
