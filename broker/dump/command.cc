#include "broker/dump/command.h"

#include <array>

#include "broker/dump/dump.h"
#include "common/cli/options.h"
#include "common/cli/text.h"

namespace odradek::broker::dump {
namespace {

using odradek::cli::Arg;
using odradek::cli::Options;
using odradek::cli::OptionSpec;
using odradek::cli::Program;

constexpr std::array kOptions = {
    OptionSpec{"cluster-metadata-decoder", Arg::none, "",
               "Records of a KRaft metadata log; there is none here."},
    OptionSpec{"deep-iteration", Arg::none, "",
               "Open the batches and print a line for each record. --print-data-log does so, too."},
    OptionSpec{"files", Arg::required, "String: file1, file2, ...",
               "REQUIRED: the .log, .index, .timeindex, .txnindex and .snapshot files, separated by "
               "commas."},
    OptionSpec{"help", Arg::none, "", "Print this table."},
    OptionSpec{"index-sanity-check", Arg::none, "",
               "Only the check of an index that a broker makes when it starts."},
    OptionSpec{"key-decoder-class", Arg::optional, "String",
               "How keys are read; only text is known here.", "kafka.serializer.StringDecoder"},
    OptionSpec{"max-bytes", Arg::required, "Integer: size",
               "Read no more than so many bytes of a .log file.", "2147483647"},
    OptionSpec{"max-message-size", Arg::required, "Integer: size",
               "Size of the largest batch that an index may point to.", "5242880"},
    OptionSpec{"offsets-decoder", Arg::none, "", "Records of the topic __consumer_offsets."},
    OptionSpec{"print-data-log", Arg::none, "",
               "Print keys and values. Every decoder option does so, too."},
    OptionSpec{"skip-record-metadata", Arg::none, "",
               "Of a record only key and value, without offset, sizes and headers."},
    OptionSpec{"transaction-log-decoder", Arg::none, "",
               "Records of the topic __transaction_state."},
    OptionSpec{"value-decoder-class", Arg::optional, "String",
               "How values are read; only text is known here.", "kafka.serializer.StringDecoder"},
    OptionSpec{"verify-index-only", Arg::none, "",
               "Hold an index against its log without printing the entries."},
    OptionSpec{"version", Arg::none, "", "Print the version."},
};
constexpr Program kProgram{"kafka-dump-log",
                           "This tool helps to parse a log file and dump its contents to the "
                           "console, useful for debugging a seemingly corrupt log segment.",
                           kOptions};

// The names under which the releases know the decoder of text.
void check_decoder_class(const Options& options, std::string_view option) {
  std::string name = options.value(option);
  if (name == "kafka.serializer.StringDecoder" ||
      name == "org.apache.kafka.tools.api.StringDecoder") {
    return;
  }
  odradek::cli::exit_not_yet(
      kProgram, "--" + std::string(option) + " names the Java class " + name +
                    ", which cannot be loaded here; known is kafka.serializer.StringDecoder");
}

std::unique_ptr<RecordDecoder> decoder_of(const Options& options) {
  if (options.has("offsets-decoder")) return offsets_decoder();
  if (options.has("transaction-log-decoder")) return transaction_decoder();
  if (options.has("cluster-metadata-decoder")) {
    odradek::cli::exit_not_yet(kProgram,
                               "--cluster-metadata-decoder reads the metadata log of KRaft; there "
                               "is no such log here, the cluster's state is in the coordinator");
  }
  check_decoder_class(options, "key-decoder-class");
  check_decoder_class(options, "value-decoder-class");
  return string_decoder();
}

// As Java splits: empty pieces at the end do not count.
std::vector<std::string> files_of(const Options& options) {
  auto files = odradek::cli::split(options.value("files"), ',');
  while (files.size() > 1 && files.back().empty()) files.pop_back();
  return files;
}

}  // namespace

bool run(int argc, char** argv, fs::FileSystem& files, Output& output) {
  Options options = Options::parse_or_exit(kProgram, argc, argv);
  options.help_or_version();
  options.require({"files"});
  auto decoder = decoder_of(options);
  const bool is_printed =
      options.has("print-data-log") || options.has("offsets-decoder") ||
      options.has("transaction-log-decoder") || options.has("key-decoder-class") ||
      options.has("value-decoder-class");
  DumpOptions dump;
  dump.segment.deep = is_printed || options.has("deep-iteration");
  dump.segment.decoder = is_printed ? decoder.get() : nullptr;
  dump.segment.skip_record_metadata = options.has("skip-record-metadata");
  dump.segment.max_bytes = static_cast<int32_t>(*options.number("max-bytes"));
  dump.index.sanity_only = options.has("index-sanity-check");
  dump.index.verify_only = options.has("verify-index-only");
  dump.index.max_message_size = static_cast<int32_t>(*options.number("max-message-size"));

  auto done = dump_files(files, files_of(options), dump, output);
  if (!done) output.err("Exception in thread \"main\" " + done.error().what() + "\n");
  return done.ok();
}

}  // namespace odradek::broker::dump
