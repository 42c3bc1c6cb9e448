"""Tables of settings: NAME_settings.tsv in, one C++ table a file out."""
import os
import re

from schema import DefinitionError

COLUMNS = ['name', 'type', 'default', 'valid', 'update', 'importance', 'effect', 'internal', 'synonym', 'about']
TYPES = {'BOOLEAN': 'boolean', 'STRING': 'string', 'INT': 'int32', 'SHORT': 'int16', 'LONG': 'int64',
         'DOUBLE': 'float64', 'LIST': 'list', 'CLASS': 'class_name', 'PASSWORD': 'password'}
UPDATES = {'read-only': 'read_only', 'per-broker': 'per_broker', 'cluster-wide': 'cluster_wide'}
EFFECTS = {'yes': 'in_effect', 'later': 'later', 'none': 'none', 'security': 'security'}
INTEGERS = {'INT': (-2**31, 2**31 - 1), 'SHORT': (-2**15, 2**15 - 1), 'LONG': (-2**63, 2**63 - 1)}
NUMBER = r'-?\d+(?:\.\d+)?'


def quoted(text):
    return '"%s"' % text.replace('\\', '\\\\').replace('"', '\\"')


def rule(text, fail):
    """Rule, low, high, choices."""
    if text == '-':
        return 'any', None, None, ''
    if text in ('non-empty', 'throttled replicas', 'kafka version'):
        return text.replace('-', '_').replace(' ', '_'), None, None, ''
    for head, name in (('one of: ', 'one_of'), ('one of any case: ', 'one_of_any_case')):
        if text.startswith(head):
            return name, None, None, text[len(head):]
    match = re.fullmatch(r'(%s)?\.\.(%s)?( or -1)?' % (NUMBER, NUMBER), text)
    if not match:
        fail('"%s" is no rule' % text)
    return 'range_or_minus_one' if match[3] else 'range', match[1], match[2], ''


def row_code(row, fail):
    for column, allowed in (('type', TYPES), ('update', UPDATES), ('effect', EFFECTS),
                            ('importance', ('high', 'medium', 'low')), ('internal', ('', 'internal'))):
        if row[column] not in allowed:
            fail('%s "%s" is none of %s' % (column, row[column], ', '.join(allowed)))
    kind, low, high, choices = rule(row['valid'], fail)
    default = row['default']
    if default not in ('null', '(empty)'):
        if row['type'] in INTEGERS:
            if not re.fullmatch(r'-?\d+', default) or not INTEGERS[row['type']][0] <= int(default) <= \
                    INTEGERS[row['type']][1]:
                fail('the default is no %s' % row['type'])
        if row['type'] == 'BOOLEAN' and default not in ('true', 'false'):
            fail('the default is no BOOLEAN')
        if kind == 'one_of' and any(part and part not in choices.split(', ') for part in default.split(',')):
            fail('the default is none of the choices')
        if low is not None and kind == 'range' and float(default) < float(low):
            fail('the default is below the range')
        if high is not None and kind == 'range' and float(default) > float(high):
            fail('the default is above the range')
    flag = lambda value: 'true' if value else 'false'
    return '    {%s, Type::%s, %s, %s,\n     Rule::%s, %s, %s, %s, %s, %s,\n     Update::%s, Importance::%s, ' \
           'Effect::%s, %s, %s,\n     %s},\n' % (
               quoted(row['name']), TYPES[row['type']], flag(default != 'null'),
               quoted('' if default in ('null', '(empty)') else default), kind, flag(low is not None), low or 0,
               flag(high is not None), high or 0, quoted(choices), UPDATES[row['update']], row['importance'],
               EFFECTS[row['effect']], flag(row['internal']), quoted(row['synonym']), quoted(row['about']))


def read(path):
    rows = []
    with open(path, encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            if line.startswith('#') or not line.strip():
                continue
            cells = line.rstrip('\n').split('\t')
            if cells == COLUMNS:
                continue
            if len(cells) > len(COLUMNS):
                raise DefinitionError(path, 'line %d' % number, 'too many columns')
            row = dict(zip(COLUMNS, cells + [''] * (len(COLUMNS) - len(cells))))
            row['line'] = number
            rows.append(row)
    names = [row['name'] for row in rows]
    for row in rows:
        if names.count(row['name']) > 1:
            raise DefinitionError(path, row['name'], 'is there twice')
    return sorted(rows, key=lambda row: row['name'])


def generate(paths):
    tables = {os.path.basename(p)[:-len('_settings.tsv')]: (p, read(p)) for p in paths}
    brokers = {row['name'] for row in tables['broker'][1]}
    out = ['// The tables of settings, from common/config/*_settings.tsv.\n#include "common/config/setting.h"\n\n'
           'namespace odradek::config {\nnamespace {\n\n']
    for name, (path, rows) in sorted(tables.items()):
        out.append('constexpr Setting k%s[] = {\n' % name.capitalize())
        for row in rows:
            def fail(what, row=row, path=path):
                raise DefinitionError(path, row['name'], what)
            if row['synonym'] and row['synonym'] not in brokers:
                fail('its synonym %s is no broker setting' % row['synonym'])
            out.append(row_code(row, fail))
        out.append('};\n\n')
    out.append('}  // namespace\n\n')
    for name in sorted(tables):
        out.append('const SettingTable& %s_settings() {\n  static constexpr SettingTable kTable{k%s};\n'
                   '  return kTable;\n}\n\n' % (name, name.capitalize()))
    out.append('}  // namespace odradek::config\n')
    return {'setting_tables.cc': ''.join(out)}
