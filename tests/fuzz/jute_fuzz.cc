// One byte that chooses a record, then the record as ZooKeeper's clients, logs and snapshots hold
// it.
#include "common/check.h"
#include "proto/zookeeper/record_list.h"
#include "proto/zookeeper/records.h"

namespace {

using namespace odradek;

template <typename Record>
void run(ByteReader in) {
  auto record = Record::decode(in);
  if (!record) return;
  ByteWriter out;
  record->encode(out);
  ByteReader again(out.buffer());
  auto same = Record::decode(again);
  CHECK(same.ok() && again.remaining() == 0 && *same == *record);
  CHECK(!record->to_string().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  ByteReader in(ByteView(reinterpret_cast<const char*>(data) + 1, size - 1));
  int chosen = data[0];
  int index = 0;
#define ODRADEK_CASE(Record) \
  if (chosen == index++) run<zookeeper::Record>(in);
  ODRADEK_ZOOKEEPER_RECORDS(ODRADEK_CASE)
#undef ODRADEK_CASE
  return 0;
}
