// Help, man page and completions: each knows every command and option there is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "application.hpp"
#include "help/command_doc.hpp"

namespace byteformer::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string roff(const std::string& text) { return std::regex_replace(text, std::regex("-"), "\\-"); }

CommandDoc program() { return Application().document(); }

/// All commands, those of groups and the groups themselves included.
std::vector<CommandDoc> commands_of(const CommandDoc& group) {
  std::vector<CommandDoc> all;
  for (const CommandDoc& command : group.commands) {
    all.push_back(command);
    for (const CommandDoc& member : commands_of(command)) all.push_back(member);
  }
  return all;
}

TEST(Help, TeachesWithExamples) {
  const CommandDoc doc = program();
  EXPECT_THAT(help_page(doc), HasSubstr("Examples:\n  byteformer classify"));
  for (const CommandDoc& command : commands_of(doc)) EXPECT_THAT(help_page(command), HasSubstr(command.path + " "));
}

TEST(Help, FitsATerminal) {
  for (const CommandDoc& command : commands_of(program())) {
    std::istringstream lines(help_page(command));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 88U) << line;
  }
}

TEST(Help, NamesEveryOption) {
  for (const CommandDoc& command : commands_of(program()))
    for (const OptionDoc& option : command.options) EXPECT_THAT(help_page(command), HasSubstr(option.heading()));
}

TEST(Help, OfAGroupNamesItsCommands) {
  for (const CommandDoc& group : program().commands)
    for (const CommandDoc& command : group.commands) {
      EXPECT_EQ(command.path, "byteformer " + group.name + " " + command.name);
      EXPECT_THAT(help_page(group), HasSubstr("  " + command.name + "  "));
      EXPECT_THAT(help_page(group), HasSubstr(command.summary));
    }
}

TEST(Help, HidesWhatIsForPackagers) {
  EXPECT_THAT(help_page(program()), Not(HasSubstr("  man ")));
  EXPECT_THAT(bash_completions(program()), Not(HasSubstr(" man")));
}

TEST(Completions, KnowEveryOptionInEveryShell) {
  const CommandDoc doc = program();
  const std::string bash = bash_completions(doc), zsh = zsh_completions(doc), fish = fish_completions(doc);
  for (const CommandDoc& command : commands_of(doc)) {
    if (command.is_hidden) continue;
    for (const std::string& script : {bash, zsh, fish}) EXPECT_THAT(script, HasSubstr(command.name));
    for (const OptionDoc& option : command.options) {
      for (const std::string& name : option.long_names) {
        EXPECT_THAT(bash, HasSubstr("--" + name));
        EXPECT_THAT(zsh, HasSubstr("'--" + name + "["));
        EXPECT_THAT(fish, HasSubstr("seen_subcommand_from " + command.name));
        EXPECT_THAT(fish, HasSubstr(" -l " + name));
      }
    }
  }
}

TEST(Completions, OfferTheValuesThereAre) {
  EXPECT_THAT(bash_completions(program()), HasSubstr("--masking) _byteformer_words 'released masked'"));
  EXPECT_THAT(bash_completions(program()), HasSubstr("-m|--model) _byteformer_paths -d"));
  EXPECT_THAT(bash_completions(program()), HasSubstr("-d|--data) _byteformer_paths -f"));
  EXPECT_THAT(bash_completions(program()), HasSubstr("--report) _byteformer_paths -f"));
  EXPECT_THAT(zsh_completions(program()), HasSubstr(":(released masked)"));
  EXPECT_THAT(fish_completions(program()), HasSubstr("-a 'released masked'"));
}

TEST(ManPage, DescribesEveryCommandAndOption) {
  const std::string page = man_page(program(), "1.2.3");
  EXPECT_THAT(page, HasSubstr(".TH BYTEFORMER 1 \"\" \"byteformer 1.2.3\""));
  for (const CommandDoc& command : commands_of(program())) {
    if (command.is_hidden) continue;
    EXPECT_THAT(page, HasSubstr(".SS " + command.path + "\n"));
    for (const OptionDoc& option : command.options)
      for (const std::string& name : option.long_names) EXPECT_THAT(page, HasSubstr("\\-\\-" + roff(name)));
  }
}

}  // namespace
}  // namespace byteformer::cli
