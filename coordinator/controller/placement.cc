#include "coordinator/controller/placement.h"

#include <algorithm>
#include <map>
#include <set>

namespace odradek::coordinator::controller {

namespace {

struct Seat {
  BrokerId id;
  std::string rack;
};

// Brokers in the order of the walk: one of each rack in turn, racks by name; by id where there are
// no racks.
std::vector<Seat> walk(const std::vector<metadata::Broker>& brokers, bool racks) {
  std::map<std::string, std::vector<BrokerId>> by_rack;
  for (const metadata::Broker& broker : brokers)
    by_rack[racks ? *broker.rack : ""].push_back(broker.id);
  for (auto& [rack, ids] : by_rack) std::sort(ids.begin(), ids.end());
  std::vector<Seat> seats;
  for (size_t round = 0; seats.size() < brokers.size(); ++round) {
    for (const auto& [rack, ids] : by_rack) {
      if (round < ids.size()) seats.push_back({ids[round], rack});
    }
  }
  return seats;
}

class Placing {
 public:
  Placing(std::vector<Seat> seats, int32_t replication_factor, bool racks)
      : seats_(std::move(seats)),
        count_(static_cast<uint32_t>(seats_.size())),
        factor_(static_cast<size_t>(replication_factor)),
        racks_(racks) {
    for (const Seat& seat : seats_) all_racks_.insert(seat.rack);
  }

  std::vector<BrokerId> replicas(uint32_t first, uint32_t shift) const {
    std::vector<BrokerId> chosen{seats_[first].id};
    std::set<std::string> used{seats_[first].rack};
    uint32_t step = 0;
    while (chosen.size() < factor_) {
      // Past one whole round the rack rule gives way, so that the loop ends.
      const Seat& seat = seats_[follower(first, shift, step)];
      bool rack_free = !racks_ || used.size() == all_racks_.size() || !used.contains(seat.rack) ||
                       step >= count_;
      bool taken = std::find(chosen.begin(), chosen.end(), seat.id) != chosen.end();
      if (rack_free && !taken) {
        chosen.push_back(seat.id);
        used.insert(seat.rack);
      }
      ++step;
    }
    return chosen;
  }

 private:
  uint32_t follower(uint32_t first, uint32_t shift, uint32_t step) const {
    return (first + 1 + (shift + step) % (count_ - 1)) % count_;
  }

  std::vector<Seat> seats_;
  uint32_t count_;
  size_t factor_;
  bool racks_;
  std::set<std::string> all_racks_;
};

}  // namespace

Result<std::vector<std::vector<BrokerId>>> place(const std::vector<metadata::Broker>& brokers,
                                                 int32_t partitions, int32_t replication_factor,
                                                 PlacementStart start) {
  auto has_rack = [](const metadata::Broker& broker) { return broker.rack.has_value(); };
  bool racks = std::any_of(brokers.begin(), brokers.end(), has_rack);
  if (racks && !std::all_of(brokers.begin(), brokers.end(), has_rack)) {
    return Error(Errc::invalid_replication_factor,
                 "Not all brokers have rack information for replica rack aware assignment.");
  }
  std::vector<Seat> seats = walk(brokers, racks);
  uint32_t count = static_cast<uint32_t>(seats.size());
  Placing placing(std::move(seats), replication_factor, racks);
  std::vector<std::vector<BrokerId>> placed;
  uint32_t shift = start.shift;
  for (int32_t i = 0; i < partitions; ++i) {
    uint32_t partition = static_cast<uint32_t>(start.first_partition + i);
    if (partition > 0 && partition % count == 0) ++shift;
    placed.push_back(placing.replicas((partition + start.first_broker) % count, shift));
  }
  return placed;
}

}  // namespace odradek::coordinator::controller
