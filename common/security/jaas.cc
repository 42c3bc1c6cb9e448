#include "common/security/jaas.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace odradek::security {

namespace {

struct Token {
  enum class Kind { word, sign, end } kind = Kind::end;
  std::string text;  // a sign is one of { } ; =
  int line = 1;
  bool is(char sign) const { return kind == Kind::sign && text[0] == sign; }
};

bool is_sign(char c) { return c == '{' || c == '}' || c == ';' || c == '='; }
bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// Words, "quoted words" and signs; // and /* */ are comments.
class Reader {
 public:
  Reader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  Result<std::vector<JaasSection>> sections();

 private:
  Error expected(const std::string& what) const {
    return Error(Errc::bad_setting,
                 file_ + ":" + std::to_string(token_.line) + ": expected " + what);
  }
  void skip_blanks();
  Result<void> next();
  Result<std::string> quoted();
  Result<JaasSection> section();
  Result<JaasModule> module();
  Result<void> option(JaasModule& module);

  std::string_view text_;
  const std::string& file_;
  size_t at_ = 0;
  int line_ = 1;
  Token token_;
};

void Reader::skip_blanks() {
  while (at_ < text_.size()) {
    if (is_blank(text_[at_])) {
      line_ += text_[at_++] == '\n';
    } else if (text_.substr(at_, 2) == "//") {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (text_.substr(at_, 2) == "/*") {
      size_t end = text_.find("*/", at_ + 2);
      size_t behind = end == std::string_view::npos ? text_.size() : end + 2;
      line_ += static_cast<int>(std::count(text_.begin() + static_cast<ptrdiff_t>(at_),
                                           text_.begin() + static_cast<ptrdiff_t>(behind), '\n'));
      at_ = behind;
    } else {
      return;
    }
  }
}

Result<std::string> Reader::quoted() {
  std::string word;
  for (++at_; at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n'; ++at_) {
    if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
    word += text_[at_];
  }
  if (at_ == text_.size() || text_[at_] != '"') return expected("the \" that ends a quoted text");
  ++at_;
  return word;
}

Result<void> Reader::next() {
  skip_blanks();
  token_ = Token();
  token_.line = line_;
  if (at_ == text_.size()) return {};
  char first = text_[at_];
  if (first == '"') {
    auto word = quoted();
    if (!word) return word.error();
    token_.kind = Token::Kind::word;
    token_.text = *std::move(word);
  } else if (is_sign(first)) {
    token_.kind = Token::Kind::sign;
    token_.text = first;
    ++at_;
  } else {
    token_.kind = Token::Kind::word;
    while (at_ < text_.size() && !is_blank(text_[at_]) && !is_sign(text_[at_]) &&
           text_[at_] != '"') {
      token_.text += text_[at_++];
    }
  }
  return {};
}

Result<void> Reader::option(JaasModule& module) {
  std::string key = token_.text;
  if (auto read = next(); !read) return read.error();
  if (!token_.is('=')) return expected("= behind the option " + key);
  if (auto read = next(); !read) return read.error();
  if (token_.kind != Token::Kind::word) return expected("a value of the option " + key);
  if (token_.text.find("${") != std::string::npos) {
    return expected("a plain value of the option " + key +
                    ": a system property in it is not understood here");
  }
  module.options[key] = token_.text;
  return next();
}

// The token is the name of the class.
Result<JaasModule> Reader::module() {
  JaasModule module;
  module.name = token_.text;
  if (auto read = next(); !read) return read.error();
  module.flag = token_.text;
  std::transform(module.flag.begin(), module.flag.end(), module.flag.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (module.flag != "required" && module.flag != "requisite" && module.flag != "sufficient" &&
      module.flag != "optional") {
    return expected("required, requisite, sufficient or optional behind " + module.name);
  }
  if (auto read = next(); !read) return read.error();
  while (token_.kind == Token::Kind::word) {
    if (auto read = option(module); !read) return read.error();
  }
  if (!token_.is(';')) return expected("an option or ; in the module " + module.name);
  if (auto read = next(); !read) return read.error();
  return module;
}

Result<JaasSection> Reader::section() {
  JaasSection section;
  if (token_.kind != Token::Kind::word) return expected("the name of a section");
  section.name = token_.text;
  if (auto read = next(); !read) return read.error();
  if (!token_.is('{')) return expected("{ behind the section's name " + section.name);
  if (auto read = next(); !read) return read.error();
  while (token_.kind == Token::Kind::word) {
    auto one = module();
    if (!one) return one.error();
    section.modules.push_back(*std::move(one));
  }
  if (!token_.is('}')) return expected("a login module or } in the section " + section.name);
  if (auto read = next(); !read) return read.error();
  if (!token_.is(';')) return expected("; behind the } of the section " + section.name);
  if (auto read = next(); !read) return read.error();
  return section;
}

Result<std::vector<JaasSection>> Reader::sections() {
  std::vector<JaasSection> sections;
  if (auto read = next(); !read) return read.error();
  while (token_.kind != Token::Kind::end) {
    auto one = section();
    if (!one) return one.error();
    if (find_section(sections, one->name)) {
      return Error(Errc::bad_setting, file_ + ": the section " + one->name + " is there twice");
    }
    sections.push_back(*std::move(one));
  }
  return sections;
}

}  // namespace

Result<std::vector<JaasSection>> parse_jaas(std::string_view text, const std::string& file) {
  return Reader(text, file).sections();
}

const JaasSection* find_section(const std::vector<JaasSection>& sections, std::string_view name) {
  auto at = std::find_if(sections.begin(), sections.end(),
                         [&](const JaasSection& section) { return section.name == name; });
  return at == sections.end() ? nullptr : &*at;
}

}  // namespace odradek::security
