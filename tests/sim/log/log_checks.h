#pragma once
// A log held against its model: every function returns what is wrong, or nothing.

#include <optional>
#include <string>

#include "broker/log/log.h"
#include "tests/sim/log/log_model.h"

namespace odradek::sim {

// All batches from the log start to the log end, read in pieces of a size that the seed chooses.
// Where there may be holes, the last offsets may have no batch.
Result<Stored> read_stored(broker::log::Log& log, World& world, bool may_have_holes);

// The ends, the epochs, the producers: after every step.
std::optional<std::string> check_state(broker::log::Log& log, LogModel& model,
                                       const ProducerModel::Leniency& leniency);
// What a reader gets: everything from end to end, and from `samples` offsets and times.
std::optional<std::string> check_reads(broker::log::Log& log, const LogModel& model, World& world,
                                       int samples);
// The index files as kafka-dump-log --index-sanity-check looks at them: each entry names what is there.
std::optional<std::string> check_index_files(const broker::log::Log& log, fs::FileSystem& files);

}  // namespace odradek::sim
