#include "broker/dump/dump.h"

#include "broker/dump/paths.h"
#include "broker/dump/producer_text.h"
#include "common/bytes/hash.h"
#include "common/format.h"

namespace odradek::broker::dump {
namespace {

// What was found about files, under their absolute paths. Lists them as the official tool's map does.
template <typename Finding>
class Findings {
 public:
  void add(const std::string& path, Finding finding) {
    std::string name = absolute(path);
    for (size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] != name) continue;
      auto& all = findings_[i];
      all.insert(all.end(), finding.begin(), finding.end());
      return;
    }
    if (finding.empty()) return;
    names_.push_back(std::move(name));
    findings_.push_back(std::move(finding));
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    std::vector<int32_t> hashes;
    for (const auto& name : names_) hashes.push_back(java_hash(name));
    for (size_t i : hash_table_order(hashes, hash_table_size(hashes.size())))
      visit(names_[i], findings_[i]);
  }

 private:
  std::vector<std::string> names_;
  std::vector<Finding> findings_;
};

class Dump {
 public:
  Dump(fs::FileSystem& files, const DumpOptions& options, Output& output)
      : files_(files), options_(options), output_(output) {}

  Result<void> file(const std::string& path) {
    output_.out(format("Dumping {}\n", path));
    Result<std::string> suffix = suffix_of(path);
    if (!suffix) return suffix.error();
    if (*suffix == ".log") {
      OffsetPairs pairs;
      auto done = dump_segment(files_, path, options_.segment, pairs, output_);
      non_consecutive_.add(path, std::move(pairs));
      return done;
    }
    if (*suffix == ".index") {
      IndexMismatches mismatches;
      auto done = dump_offset_index(files_, path, options_.index, mismatches, output_);
      index_mismatches_.add(path, std::move(mismatches));
      return done;
    }
    if (*suffix == ".timeindex") {
      TimeIndexErrors errors;
      auto done = dump_time_index(files_, path, options_.index, errors, output_);
      time_mismatches_.add(path, std::move(errors.mismatches));
      out_of_order_.add(path, std::move(errors.out_of_order));
      not_found_.add(path, std::move(errors.not_found));
      return done;
    }
    if (*suffix == ".snapshot") return dump_producer_snapshot(files_, path, output_);
    if (*suffix == ".txnindex") return dump_transaction_index(files_, path, output_);
    if (*suffix == ".checkpoint") {
      return Error(Errc::invalid_argument,
                   path + ": a snapshot of a KRaft metadata log, which no broker here writes; this "
                          "tool does not read it");
    }
    output_.err(format("Ignoring unknown file {}\n", path));
    return {};
  }

  void summary() const {
    index_mismatches_.for_each([&](const std::string& name, const IndexMismatches& pairs) {
      output_.err(format("Mismatches in :{}\n", name));
      newest_first(pairs, "  Index offset: ", ", log offset: ");
    });
    time_mismatches_.for_each([&](const std::string& name, const OffsetPairs& pairs) {
      output_.err(format("Found timestamp mismatch in :{}\n", name));
      in_order(pairs, "  Index timestamp: ", ", log timestamp: ");
    });
    out_of_order_.for_each([&](const std::string& name, const OffsetPairs& pairs) {
      output_.err(format("Found out of order timestamp in :{}\n", name));
      in_order(pairs, "  Index timestamp: ", ", Previously indexed timestamp: ");
    });
    not_found_.for_each([&](const std::string&, const OffsetPairs& pairs) {
      output_.err("The following indexed offsets are not found in the log.\n");
      in_order(pairs, "Indexed offset: ", ", found log offset: ");
    });
    non_consecutive_.for_each([&](const std::string& name, const OffsetPairs& pairs) {
      output_.err(format("Non-consecutive offsets in {}\n", name));
      newest_first(pairs, "  ", " is followed by ");
    });
  }

 private:
  void in_order(const OffsetPairs& pairs, std::string_view front, std::string_view middle) const {
    for (const auto& pair : pairs) line(pair, front, middle);
  }
  void newest_first(const OffsetPairs& pairs, std::string_view front,
                    std::string_view middle) const {
    for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) line(*pair, front, middle);
  }
  void line(const OffsetPairs::value_type& pair, std::string_view front,
            std::string_view middle) const {
    output_.err(format("{}{}{}{}\n", front, pair.first, middle, pair.second));
  }

  fs::FileSystem& files_;
  const DumpOptions& options_;
  Output& output_;
  Findings<IndexMismatches> index_mismatches_;
  Findings<OffsetPairs> time_mismatches_, out_of_order_, not_found_, non_consecutive_;
};

}  // namespace

Result<void> dump_files(fs::FileSystem& files, const std::vector<std::string>& paths,
                        const DumpOptions& options, Output& output) {
  Dump dump(files, options, output);
  for (const auto& path : paths) {
    if (auto done = dump.file(path); !done) return done;
  }
  dump.summary();
  return {};
}

}  // namespace odradek::broker::dump
