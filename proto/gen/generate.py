#!/usr/bin/env python3
"""Turns the definitions of proto/ into C++. Run by CMake; needs Python's standard library only.

  generate.py kafka OUT FILE...       messages (NN_name.json, records, headers.json) and api_keys.json
  generate.py zookeeper OUT FILE...   jute records (*.jute) and opcodes.tsv
  generate.py settings OUT FILE...    tables of settings (*.tsv)
  generate.py --list ...              only prints the files that would be written, one a line

A file that would not change is not touched. A wrong definition ends the run with its file and field.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import schema  # noqa: E402


def kafka(paths):
    import api_cpp
    import kafka_cpp
    keys = [p for p in paths if os.path.basename(p) == 'api_keys.json']
    definitions = schema.load_definitions(sorted(p for p in paths if p not in keys))
    apis = sorted(schema.load_json(keys[0])['apis'], key=lambda a: a['key'])
    known = {a['key']: a for a in apis}
    files = {}
    for definition in definitions:
        if definition.api is not None:
            row = known.get(definition.api_key)
            flexible = definition.messages[0].flexible
            text = 'none' if flexible.empty() else '%d+' % flexible.low
            if row is None or row['name'] != definition.api or row['flexible'] != text:
                raise schema.DefinitionError(definition.path, 'api_key', 'api_keys.json says %s' % row)
        files[definition.stem + '.h'] = kafka_cpp.header(definition)
    files['api_keys.h'], files['api_keys.cc'] = api_cpp.api_keys(apis)
    files['api_list.h'] = api_cpp.api_list(definitions)
    files['all.h'] = api_cpp.all_header(definitions)
    files.update(kafka_cpp.bundles(definitions))
    return files


def zookeeper(paths):
    import jute_cpp
    return jute_cpp.generate(paths)


def settings(paths):
    import settings_cpp
    return settings_cpp.generate(paths)


def write(path, text):
    try:
        with open(path, encoding='utf-8') as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def main(arguments):
    listing = arguments[0] == '--list'
    kind, folder, *paths = arguments[1:] if listing else arguments
    try:
        files = {'kafka': kafka, 'zookeeper': zookeeper, 'settings': settings}[kind](paths)
    except schema.DefinitionError as error:
        sys.exit('proto/gen: %s' % error)
    if listing:
        print(';'.join(os.path.join(folder, name) for name in sorted(files)), end='')
        return
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, text)


if __name__ == '__main__':
    main(sys.argv[1:])
