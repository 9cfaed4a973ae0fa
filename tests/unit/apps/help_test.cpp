// Help, man page and completions: each knows every command and option there is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "application.hpp"
#include "help/command_doc.hpp"

namespace byteformer::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string roff(const std::string& text) { return std::regex_replace(text, std::regex("-"), "\\-"); }

CommandDoc program() { return document(Application().app()); }

TEST(Help, TeachesWithExamples) {
  const CommandDoc doc = program();
  EXPECT_THAT(overview_page(doc), HasSubstr("Examples:\n  byteformer classify"));
  for (const CommandDoc& command : doc.commands)
    EXPECT_THAT(help_page(command), HasSubstr("byteformer " + command.name + " "));
}

TEST(Help, FitsATerminal) {
  for (const CommandDoc& command : program().commands) {
    std::istringstream lines(help_page(command));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 88U) << line;
  }
}

TEST(Help, NamesEveryOption) {
  for (const CommandDoc& command : program().commands)
    for (const OptionDoc& option : command.options) EXPECT_THAT(help_page(command), HasSubstr(option.heading()));
}

TEST(Help, HidesWhatIsForPackagers) {
  EXPECT_THAT(overview_page(program()), Not(HasSubstr("  man ")));
  EXPECT_THAT(bash_completions(program()), Not(HasSubstr(" man")));
}

TEST(Completions, KnowEveryOptionInEveryShell) {
  const CommandDoc doc = program();
  for (const CommandDoc& command : doc.commands) {
    if (command.is_hidden) continue;
    for (const std::string& script : {bash_completions(doc), zsh_completions(doc), fish_completions(doc)})
      EXPECT_THAT(script, HasSubstr(command.name));
    for (const OptionDoc& option : command.options) {
      for (const std::string& name : option.long_names) {
        EXPECT_THAT(bash_completions(doc), HasSubstr("--" + name));
        EXPECT_THAT(zsh_completions(doc), HasSubstr("'--" + name + "["));
        EXPECT_THAT(fish_completions(doc), HasSubstr("seen_subcommand_from " + command.name + "'"));
        EXPECT_THAT(fish_completions(doc), HasSubstr(" -l " + name));
      }
    }
  }
}

TEST(Completions, OfferTheValuesThereAre) {
  EXPECT_THAT(bash_completions(program()), HasSubstr("--masking) _byteformer_words 'released masked'"));
  EXPECT_THAT(bash_completions(program()), HasSubstr("-m|--model) _byteformer_paths -d"));
  EXPECT_THAT(zsh_completions(program()), HasSubstr(":(released masked)"));
  EXPECT_THAT(fish_completions(program()), HasSubstr("-a 'released masked'"));
}

TEST(ManPage, DescribesEveryCommandAndOption) {
  const std::string page = man_page(program(), "1.2.3");
  EXPECT_THAT(page, HasSubstr(".TH BYTEFORMER 1 \"\" \"byteformer 1.2.3\""));
  for (const CommandDoc& command : program().commands) {
    if (command.is_hidden) continue;
    EXPECT_THAT(page, HasSubstr(".SS byteformer " + command.name));
    for (const OptionDoc& option : command.options)
      for (const std::string& name : option.long_names) EXPECT_THAT(page, HasSubstr("\\-\\-" + roff(name)));
  }
}

}  // namespace
}  // namespace byteformer::cli
