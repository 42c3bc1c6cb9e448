#pragma once
// Reconciler: makes the logs of this broker what the cluster image says. Level-triggered: whatever
// happened, it compares one partition with the newest image, does one step, and looks again until
// nothing is left to do; so images may come faster than logs open. Lives on the home executor.
//
//   in the image   here     step
//   assigned       -        make the log, install it on its shard
//   assigned       open     tell its shard leader, epoch, ISR, settings
//   any            loading  nothing yet
//   gone, record   open     rename to -delete, remove the files after file.delete.delay.ms
//   gone           open     rename to -stray, for a person to look at: absence is never deletion
//   other id       open     one of the two above, then as new

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "broker/log/log_manager.h"
#include "broker/metadata/image.h"
#include "broker/replica/partition.h"
#include "broker/replica/partition_manager.h"
#include "common/runtime/timer.h"

namespace odradek::broker::replica {

class Reconciler {
 public:
  explicit Reconciler(PartitionManager& manager);

  // A log that lies on the disk and is to be opened: until adopt() it is left alone, whatever the
  // image says.
  void expect(const TopicPartition& id) { entries_[id.topic][id.partition.value()].loading = true; }
  // Takes over logs that were found on the disk, or notes that they failed; looks at them then.
  boost::asio::awaitable<void> adopt(std::vector<log::LoadedLog> loaded);
  void set_self(BrokerId self) { self_ = self; }

  // Looks at these topics, or at all.
  void look_at(const std::string& topic);
  void look_at_all();
  void settings_changed(const metadata::ImageChange& change);

  // True while a step is under way for the topic.
  bool busy(const std::string& topic) const;
  bool busy() const { return running_ > 0; }
  runtime::Signal& progress() { return progress_; }
  // Directories named -delete that were found at start, or made now: removed after the delay.
  void remove_later(std::string directory, int64_t delay_ms);
  void end() { ended_ = true; }

 private:
  struct Entry {
    bool loading = false;  // on the disk, not opened yet
    bool adopted = false;  // on its way to its shard
    bool open = false;
    bool failed = false;   // the log cannot be made or opened: a full disk is tried again, the rest
                           // at a restart
    bool told = false;     // that it failed
    bool running = false;  // a coroutine works on it
    bool look_again = false;
    Uuid topic_id;  // of the open log; zero: not known
  };
  enum class Step { none, make, update, remove, set_aside, forget };

  Step next_step(const TopicPartition& id, const Entry& entry, const metadata::Image& image) const;
  void look_at(const std::string& topic, int32_t partition);
  boost::asio::awaitable<void> run(TopicPartition id);
  boost::asio::awaitable<void> make(TopicPartition id, Entry& entry);
  boost::asio::awaitable<void> forget(TopicPartition id, Entry& entry);
  boost::asio::awaitable<void> try_again(TopicPartition id);
  boost::asio::awaitable<void> update(TopicPartition id, Entry& entry);
  boost::asio::awaitable<void> take_away(TopicPartition id, Entry& entry, bool deleted);
  boost::asio::awaitable<void> install(TopicPartition id, std::unique_ptr<log::Log> log,
                                       Offset high_watermark);
  void put_in(size_t shard, const TopicPartition& id, std::unique_ptr<log::Log> log,
              size_t directory, Offset high_watermark);
  const TopicSettings& settings_of(const std::string& topic, const metadata::Image& image);
  LeaderState state_of(const TopicPartition& id, const metadata::Image& image);

  PartitionManager& manager_;
  BrokerId self_{-1};
  std::unordered_map<std::string, std::map<int32_t, Entry>> entries_;
  std::unordered_map<std::string, TopicSettings> settings_;  // of topics with overrides
  std::optional<TopicSettings> default_settings_;
  runtime::Signal progress_;
  size_t running_ = 0;
  bool ended_ = false;
};

}  // namespace odradek::broker::replica
