#include "common/log/rolling_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace odradek {
namespace {

class Rolling : public ::testing::Test {
 protected:
  Rolling() {
    std::string pattern = (std::filesystem::temp_directory_path() / "odradek-log-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~Rolling() override { std::filesystem::remove_all(folder); }
  std::string path() const { return folder + "/audit.log"; }
  std::string content(const std::string& name) const {
    std::ifstream file(folder + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::string folder;
};

TEST_F(Rolling, MovesFilesAsideAndDropsTheOldest) {
  {
    RollingFile file(path(), 10, 2);
    for (const char* line : {"first\n", "second\n", "third\n", "fourth\n"}) file.write(line);
  }
  EXPECT_EQ(content("audit.log"), "fourth\n");
  EXPECT_EQ(content("audit.log.1"), "third\n");
  EXPECT_EQ(content("audit.log.2"), "second\n");
  EXPECT_FALSE(std::filesystem::exists(folder + "/audit.log.3"));
}

TEST_F(Rolling, GoesOnWithWhatIsThere) {
  for (const char* line : {"12345\n", "678\n", "9\n"}) RollingFile(path(), 11, 3).write(line);
  EXPECT_EQ(content("audit.log"), "9\n") << "two lines filled the first";
  EXPECT_EQ(content("audit.log.1"), "12345\n678\n");
}

TEST_F(Rolling, ALineLongerThanAFileHasOneOfItsOwn) {
  {
    RollingFile file(path(), 4, 3);
    file.write("long line\n");
    file.write("another\n");
  }
  EXPECT_EQ(content("audit.log.1"), "long line\n");
  EXPECT_EQ(content("audit.log"), "another\n");
}

TEST_F(Rolling, AFolderThatIsNotThereTakesNothing) {
  RollingFile file(folder + "/none/audit.log", 10, 2);
  file.write("lost\n");
  file.flush();
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

}  // namespace
}  // namespace odradek
