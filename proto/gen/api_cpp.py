"""Emits what stands over all of Kafka's messages: the lists of them, and the table of APIs with the headers."""


def all_header(definitions):
    return '#pragma once\n// Every message; for tests and fuzz targets.\n\n' + ''.join(
        sorted('#include "proto/kafka/%s.h"\n' % d.stem for d in definitions))


def api_list(definitions):
    rows = sorted((d.api_key, d.api) for d in definitions if d.api is not None)
    return ('#pragma once\n// ODRADEK_KAFKA_APIS(X): X(Produce) X(Fetch) ... for every API that has a definition.\n\n'
            '#define ODRADEK_KAFKA_APIS(X)' + ''.join(' \\\n  X(%s)' % api for _, api in rows) + '\n')


def api_keys(apis):
    enum = ''.join('  k%s = %d,\n' % (a['name'], a['key']) for a in apis)
    h = ('#pragma once\n// Every API of Kafka 2.5 to 4.x, served here or not, so that the header of any request can be '
         'read.\n\n#include <cstdint>\n#include <optional>\n#include <string_view>\n\n'
         '#include "common/bytes/byte_reader.h"\n#include "common/result.h"\n#include "proto/kafka/headers.h"\n\n'
         'namespace odradek::kafka {\n\nenum class ApiKey : int16_t {\n' + enum + '};\n\n'
         '// The API of a number; nothing for one that Kafka does not have.\n'
         'std::optional<ApiKey> find_api(int16_t api_key);\n'
         '// "Produce"; "Unknown" for a number that is no API.\n'
         'std::string_view name_of(ApiKey api);\n'
         'std::optional<ApiKey> find_api(std::string_view name);\n'
         '// INT16_MAX when no version is flexible.\n'
         'int16_t first_flexible_version(ApiKey api);\n'
         '// Also for versions above the last one known.\n'
         'int16_t request_header_version(ApiKey api, int16_t version);\n'
         'int16_t response_header_version(ApiKey api, int16_t version);\n\n'
         '// The header of a request, with what depends on it.\n'
         'struct DecodedRequestHeader {\n'
         '  RequestHeader header;\n'
         '  int16_t header_version = 0;\n'
         '  std::optional<ApiKey> api;  // nothing: an unknown API, whose header is read as version 1\n'
         '  ByteView tagged_fields;     // the tagged section of a version 2 header, its count included\n'
         '};\n\n'
         '// Leaves the reader at the body. Malformed when the frame ends inside the header.\n'
         'Result<DecodedRequestHeader> decode_request_header(ByteReader& in);\n'
         '// The header that answers a request.\n'
         'void encode_response_header(ByteWriter& out, ApiKey api, int16_t request_version, int32_t correlation_id);\n'
         '\n}  // namespace odradek::kafka\n')
    rows = ''
    for a in apis:
        flexible = 'INT16_MAX' if a['flexible'] == 'none' else a['flexible'].rstrip('+')
        rows += '    {ApiKey::k%s, "%s", %s, %d},\n' % (a['name'], a['name'], flexible, a.get('header_0_until', -1))
    cc = ('#include "proto/kafka/api_keys.h"\n\nnamespace odradek::kafka {\nnamespace {\n\n'
          'struct Row {\n  ApiKey api;\n  std::string_view name;\n  int16_t first_flexible;\n'
          '  int16_t header_0_until;  // last version whose request has no client id\n};\n\n'
          'constexpr Row kRows[] = {\n' + rows + '};\n\n'
          'const Row* row_of(int16_t api_key) {\n'
          '  for (const Row& row : kRows) {\n'
          '    if (static_cast<int16_t>(row.api) == api_key) return &row;\n  }\n  return nullptr;\n}\n\n'
          'const Row* row_of(ApiKey api) { return row_of(static_cast<int16_t>(api)); }\n\n}  // namespace\n\n'
          'std::optional<ApiKey> find_api(int16_t api_key) {\n'
          '  const Row* row = row_of(api_key);\n  if (row == nullptr) return std::nullopt;\n  return row->api;\n}\n\n'
          'std::string_view name_of(ApiKey api) {\n'
          '  const Row* row = row_of(api);\n  return row == nullptr ? "Unknown" : row->name;\n}\n\n'
          'std::optional<ApiKey> find_api(std::string_view name) {\n'
          '  for (const Row& row : kRows) {\n    if (row.name == name) return row.api;\n  }\n'
          '  return std::nullopt;\n}\n\n'
          'int16_t first_flexible_version(ApiKey api) {\n'
          '  const Row* row = row_of(api);\n  return row == nullptr ? INT16_MAX : row->first_flexible;\n}\n\n'
          'int16_t request_header_version(ApiKey api, int16_t version) {\n'
          '  const Row* row = row_of(api);\n  if (row == nullptr) return 1;\n'
          '  if (version >= row->first_flexible) return 2;\n'
          '  return version <= row->header_0_until ? 0 : 1;\n}\n\n'
          'int16_t response_header_version(ApiKey api, int16_t version) {\n'
          '  // A client of any age must be able to read which versions there are (KIP-511).\n'
          '  if (api == ApiKey::kApiVersions) return 0;\n'
          '  return version >= first_flexible_version(api) ? 1 : 0;\n}\n\n'
          'Result<DecodedRequestHeader> decode_request_header(ByteReader& in) {\n'
          '  ByteReader look = in;\n'
          '  int16_t api_key = look.i16();\n  int16_t version = look.i16();\n'
          '  if (!look.ok()) return Error(Errc::malformed, "RequestHeader: cut short");\n'
          '  DecodedRequestHeader out;\n'
          '  out.api = find_api(api_key);\n'
          '  out.header_version = out.api ? request_header_version(*out.api, version) : 1;\n'
          '  ByteView whole = in.rest();\n'
          '  auto header = RequestHeader::decode(in, out.header_version);\n'
          '  if (!header) return header.error();\n'
          '  out.header = std::move(*header);\n'
          '  if (out.header_version >= 2) {\n'
          '    size_t plain = 10 + (out.header.client_id ? out.header.client_id->size() : 0);\n'
          '    out.tagged_fields = whole.substr(plain, whole.size() - in.remaining() - plain);\n  }\n'
          '  return out;\n}\n\n'
          'void encode_response_header(ByteWriter& out, ApiKey api, int16_t request_version, int32_t correlation_id) {\n'
          '  ResponseHeader header;\n  header.correlation_id = correlation_id;\n'
          '  header.encode(out, response_header_version(api, request_version));\n}\n\n'
          '}  // namespace odradek::kafka\n')
    return h, cc
