#pragma once
// KafkaError: what the Java clients would have thrown, with the exception's class, since the tools
// print it. It is this folder's one exception: thrown by AdminClient and by the tools' actions,
// caught in each tool's main.

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace odradek::broker::cli {

class KafkaError : public std::exception {
 public:
  // A number of Kafka's protocol; an empty message becomes the number's usual sentence.
  explicit KafkaError(int16_t code, std::string message = {});
  // A class that no number has: java.lang.IllegalArgumentException, ...
  KafkaError(std::string java_class, std::string message);

  int16_t code() const { return code_; }  // 0: of no number
  const std::string& java_class() const { return java_class_; }
  const std::string& message() const { return message_; }
  // "class: message", as Java prints an exception.
  const std::string& to_string() const { return text_; }
  const char* what() const noexcept override { return text_.c_str(); }
  bool retriable() const;

 private:
  int16_t code_ = 0;
  std::string java_class_;
  std::string message_;
  std::string text_;
};

KafkaError illegal_argument(std::string message);
KafkaError timeout(std::string message);
// Throws for any number but 0.
void throw_if(int16_t code, const std::string& message = {});
// "TOPIC_ALREADY_EXISTS"; the number itself where it is unknown.
std::string error_name(int16_t code);

// Kafka's numbers that the tools decide on.
enum KafkaCode : int16_t {
  kOffsetOutOfRange = 1,
  kUnknownTopicOrPartition = 3,
  kLeaderNotAvailable = 5,
  kNotLeaderOrFollower = 6,
  kCoordinatorLoading = 14,
  kCoordinatorNotAvailable = 15,
  kNotCoordinator = 16,
  kInvalidTopic = 17,
  kInvalidGroupId = 24,
  kTopicAuthorizationFailed = 29,
  kGroupAuthorizationFailed = 30,
  kUnsupportedVersion = 35,
  kTopicAlreadyExists = 36,
  kNotController = 41,
  kNonEmptyGroup = 68,
  kGroupIdNotFound = 69,
  kGroupSubscribedToTopic = 86,
  kUnknownTopicId = 100,
};

}  // namespace odradek::broker::cli
