#include "common/security/jaas.h"

#include <gtest/gtest.h>

namespace odradek::security {
namespace {

TEST(Jaas, SectionsModulesAndOptions) {
  auto sections = parse_jaas(
      "// users\n"
      "Server {\n"
      "  org.apache.zookeeper.server.auth.DigestLoginModule Required\n"
      "  user_bob=\"se\\\"cret; }\" /* a\n comment */\n"
      "  \"user_j\xc3\xbcrgen\"=plain-word;\n"
      "  second.Module optional ;\n"
      "};\n"
      "Client{m.M required username=bob password=\"\";};",
      "jaas.conf");
  ASSERT_TRUE(sections.ok()) << sections.error().what();
  ASSERT_EQ(sections->size(), 2u);
  const JaasSection* server = find_section(*sections, "Server");
  ASSERT_NE(server, nullptr);
  ASSERT_EQ(server->modules.size(), 2u);
  EXPECT_EQ(server->modules[0].name, "org.apache.zookeeper.server.auth.DigestLoginModule");
  EXPECT_EQ(server->modules[0].flag, "required");
  EXPECT_EQ(server->modules[0].options.at("user_bob"), "se\"cret; }");
  EXPECT_EQ(server->modules[0].options.at("user_j\xc3\xbcrgen"), "plain-word");
  EXPECT_EQ(server->modules[1].flag, "optional");
  EXPECT_TRUE(server->modules[1].options.empty());
  EXPECT_EQ(find_section(*sections, "Client")->modules[0].options.at("password"), "");
  EXPECT_EQ(find_section(*sections, "KafkaServer"), nullptr);
}

TEST(Jaas, AnEmptyFileHasNoSections) {
  auto sections = parse_jaas(" // nothing\n", "jaas.conf");
  ASSERT_TRUE(sections.ok());
  EXPECT_TRUE(sections->empty());
}

// Each in one line that names the place, and never a value.
TEST(Jaas, WhatIsWrongIsSaidByFileAndLine) {
  struct Row {
    const char* text;
    const char* expected;
  };
  for (const Row& row : {
           Row{"Server", "jaas.conf:1: expected { behind the section's name Server"},
           Row{"{", "jaas.conf:1: expected the name of a section"},
           Row{"S {\n a.B\n user_x=\"secret\";\n};",
               "jaas.conf:3: expected required, requisite, sufficient or optional behind a.B"},
           Row{"S {\n a.B required user_x \"secret\";\n};",
               "jaas.conf:2: expected = behind the option user_x"},
           Row{"S {\n a.B required user_x=;\n};",
               "jaas.conf:2: expected a value of the option user_x"},
           Row{"S {\n a.B required user_x=\"secret\n};",
               "jaas.conf:2: expected the \" that ends a quoted text"},
           Row{"S {\n a.B required user_x=\"${secret}\";\n};",
               "jaas.conf:2: expected a plain value of the option user_x: a system property in it "
               "is not understood here"},
           Row{"S {\n a.B required user_x=\"secret\"\n};",
               "jaas.conf:3: expected an option or ; in the module a.B"},
           Row{"S { a.B required; }", "jaas.conf:1: expected ; behind the } of the section S"},
           Row{"S { a.B required;", "jaas.conf:1: expected a login module or } in the section S"},
           Row{"S { };\nS { };", "jaas.conf: the section S is there twice"},
       }) {
    auto sections = parse_jaas(row.text, "jaas.conf");
    ASSERT_FALSE(sections.ok()) << row.text;
    EXPECT_EQ(sections.error().what(), row.expected);
    EXPECT_EQ(sections.error().code(), Errc::bad_setting);
  }
}

}  // namespace
}  // namespace odradek::security
