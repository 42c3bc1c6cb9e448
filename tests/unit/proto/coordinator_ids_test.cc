#include "proto/coordinator/ids.h"

#include <gtest/gtest.h>

namespace odradek::contract {
namespace {

TEST(ContractIds, AUuidIsItsSixteenBytes) {
  Uuid id = Uuid::random();
  std::string bytes = bytes_of(id);
  EXPECT_EQ(bytes.size(), 16u);
  EXPECT_EQ(uuid_of(bytes), id);
  EXPECT_EQ(uuid_of(bytes.substr(1)), std::nullopt);
  EXPECT_EQ(uuid_of(""), std::nullopt);
}

TEST(ContractIds, BrokersStayInTheirOrder) {
  const std::vector<BrokerId> brokers = {BrokerId(3), BrokerId(1), BrokerId(2)};
  google::protobuf::RepeatedField<int32_t> field;
  field.Add(7);
  add_all(brokers, field);
  EXPECT_EQ(brokers_of(field), (std::vector<BrokerId>{BrokerId(7), BrokerId(3), BrokerId(1),
                                                      BrokerId(2)}));
}

}  // namespace
}  // namespace odradek::contract
