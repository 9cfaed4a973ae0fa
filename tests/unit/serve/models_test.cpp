// Names, versions, and models that come and go.
#include "serve/models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/text.hpp"
#include "serve/exchange.hpp"
#include "support/files.hpp"
#include "unit/serve/reads_as_is.hpp"

namespace byteformer::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Models, SourcesHaveNames) {
  const auto parts = [](const char* text) {
    const ModelSource source = parse_model_source(text);
    return source.name + "|" + source.version + "|" + source.dir.native();
  };
  EXPECT_EQ(parts("models/mnist"), "mnist|1|models/mnist");
  EXPECT_EQ(parts("models/mnist/"), "mnist|1|models/mnist/");
  EXPECT_EQ(parts("digits=models/mnist"), "digits|1|models/mnist");
  EXPECT_EQ(parts("digits@20=m=n"), "digits|20|m=n");
  for (const char* text : {"", "/", ".", "..", "=m", "a=", "a/b=m", "a@=m", "a@b@c=m", "a b=m", "\xc3\xa9=m"})
    EXPECT_THROW(parse_model_source(text), Error) << text;
}

std::shared_ptr<const Model> load_nano(const ModelSource& source) {
  return load_model({source.name, source.version, test::data_path("untrained-nano")}, reads_as_is(), {});
}

int status_of_refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Refusal& refusal) {
    return refusal.status;
  }
  return 0;
}

TEST(Models, AreFoundByNameAndVersion) {
  Models models({{"a", "9", "x"}, {"a", "10", "x"}, {"b", "1", "x"}}, load_nano);
  EXPECT_EQ(models.find("a")->source.version, "10");
  EXPECT_EQ(models.find("a", "9")->source.version, "9");
  EXPECT_EQ(status_of_refusal([&] { models.find("c"); }), 404);
  EXPECT_EQ(status_of_refusal([&] { models.find("a", "1"); }), 404);
  EXPECT_EQ(status_of_refusal([&] { models.only(); }), 400);
  const Models one({{"a", "1", "x"}, {"a", "2", "x"}}, load_nano);
  EXPECT_EQ(one.only()->source.version, "2");
  EXPECT_EQ(one.only("1")->source.version, "1");
  EXPECT_EQ(status_of_refusal([&] { one.only("99"); }), 404);
  EXPECT_EQ(Models({{"a", "9", "x"}, {"a", "01", "x"}, {"a", "0", "x"}, {"a", "x", "x"}}, load_nano)
                .find("a")
                ->source.version,
            "9");
  EXPECT_THROW(Models({{"a", "1", "x"}, {"a", "1", "y"}}, load_nano), Error);
}

TEST(Models, ComeAndGo) {
  bool fails = false;
  Models models({{"a", "1", "x"}}, [&](const ModelSource& source) {
    if (fails) base::fail(ErrorCode::kNotFound, "/secret/path is gone");
    return load_nano(source);
  });
  const auto first = models.find("a");
  EXPECT_THAT(models.reload(), IsEmpty());
  const auto second = models.find("a");
  EXPECT_NE(second, first);
  fails = true;
  EXPECT_THAT(models.reload(), ElementsAre("/secret/path is gone"));
  EXPECT_EQ(models.find("a"), second) << "what cannot be loaded anew stays";
  models.unload("a");
  EXPECT_TRUE(models.all_ready()) << "nobody wants it";
  EXPECT_EQ(status_of_refusal([&] { models.find("a"); }), 400);
  EXPECT_EQ(models.states()[0].reason, "unloaded");
  EXPECT_EQ(models.load("a"), "/secret/path is gone");
  EXPECT_FALSE(models.all_ready());
  EXPECT_EQ(models.states()[0].reason, "cannot be loaded");
  fails = false;
  EXPECT_EQ(models.load("a"), "");
  EXPECT_TRUE(models.all_ready());
  EXPECT_EQ(status_of_refusal([&] { models.load("b"); }), 404);
  EXPECT_EQ(status_of_refusal([&] { models.unload("b"); }), 404);
}

}  // namespace
}  // namespace byteformer::serve
