// The built program in a shell: pipes, devices, FIFOs, folders, closed descriptors, and what it says and returns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  int status = 0;
  std::string out, err;
};

std::string read_text(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class ProgramTest : public ::testing::Test {
 protected:
  /// One folder and one imported model for all tests of this process.
  static void SetUpTestSuite() {
    root() = fs::temp_directory_path() / ("byteformer-program-" + std::to_string(::getpid()));
    fs::remove_all(root());
    fs::create_directories(root());
    ::setenv("B", BYTEFORMER_PROGRAM, 1);
    ::setenv("DATA", BYTEFORMER_TEST_DATA "/models/k8_w16", 1);
    const Outcome imported = shell("$B import $DATA/weights.pt --config $DATA/config.json -o model");
    ASSERT_EQ(imported.status, 0) << imported.err;
    EXPECT_THAT(imported.out, HasSubstr("4 layers"));
    shell("cp $DATA/input_0.bin good; : > empty; mkdir folder; cp good folder/b; cp good folder/a; mkfifo fifo");
  }
  static void TearDownTestSuite() { fs::remove_all(root()); }

  static fs::path& root() {
    static fs::path path;
    return path;
  }

  /// Runs `script` with bash in the test's folder; $B is the program.
  static Outcome shell(const std::string& script) {
    const fs::path out = root() / ".out";
    const fs::path err = root() / ".err";
    std::ofstream(root() / ".script") << "cd '" + root().native() + "'\n" + script + "\n";
    const std::string command =
        "bash '" + (root() / ".script").native() + "' > '" + out.native() + "' 2> '" + err.native() + "' < /dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status), read_text(out), read_text(err)};
  }
};

TEST_F(ProgramTest, ClassifiesAFile) {
  const Outcome outcome = shell("$B classify -m model --jsonl --logits --top-k 1 good");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(
      outcome.out,
      StartsWith(
          R"({"path":"good","status":"ok","bytes":1500,"tokens":374,"predictions":[{"label":"class_6","index":6,)"));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(ProgramTest, StandardInputGivesTheSameAnswerAsTheFile) {
  const Outcome outcome = shell(
      "$B classify -m model --jsonl --logits --features good | sed 's/\"good\"/\"-\"/' > expected\n"
      "cat good | $B classify -m model --jsonl --logits --features - | cmp - expected");
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
}

TEST_F(ProgramTest, BatchSizeAndThreadsChangeNothing) {
  const Outcome outcome = shell(
      "$B classify -m model --jsonl --logits -b 1 -j 1 $DATA/input_*.bin > one\n"
      "$B classify -m model --jsonl --logits -b 3 -j 2 $DATA/input_*.bin > three\n"
      "cmp one three");
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
}

TEST_F(ProgramTest, OneBadFileCostsOneLine) {
  const Outcome outcome = shell("$B classify -m model --jsonl good missing empty folder fifo /dev/zero good");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "");
  std::istringstream lines(outcome.out);
  for (const char* expected :
       {R"("status":"ok")", R"("code":"not_found")", R"("code":"empty_file")", R"("code":"not_a_regular_file")",
        R"("code":"not_a_regular_file")", R"("code":"not_a_regular_file")", R"("status":"ok")"}) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_THAT(line, HasSubstr(expected));
  }
}

TEST_F(ProgramTest, PipesThatAreOpenAndFilesOfUnknownSizeAreReadToTheirEnd) {
  const Outcome outcome = shell(
      "$B classify -m model --jsonl good | sed 's/.*\"bytes\"/\"bytes\"/' > plain\n"
      "cat good | $B classify -m model --jsonl /dev/fd/3 3<&0 0</dev/null | sed 's/.*\"bytes\"/\"bytes\"/' > piped\n"
      "cmp plain piped && $B classify -m model --jsonl /proc/version /proc/self/nothing");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, StartsWith(R"({"path":"/proc/version","status":"ok")"));
  EXPECT_THAT(outcome.out, HasSubstr(R"({"path":"/proc/self/nothing","status":"error","error":{"code":"not_found")"));
}

TEST_F(ProgramTest, ErrorsForPeopleGoToStandardError) {
  const Outcome outcome = shell("$B classify -m model --top-k 1 good missing");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, StartsWith("good     class_6 "));
  EXPECT_THAT(outcome.err, StartsWith("byteformer: missing: "));
}

TEST_F(ProgramTest, WalksFolders) {
  const Outcome outcome = shell("$B classify -m model --jsonl -r folder | cut -d, -f1");
  EXPECT_EQ(outcome.out, "{\"path\":\"folder/a\"\n{\"path\":\"folder/b\"\n");
}

TEST_F(ProgramTest, ReadsListsOfFiles) {
  const Outcome outcome = shell("printf 'good\\0folder/a\\0' | $B classify -m model --jsonl -0 --files-from - | wc -l");
  EXPECT_THAT(outcome.out, HasSubstr("2"));
  EXPECT_EQ(shell("$B classify -m model --jsonl --files-from <(echo good) | wc -l").out, "1\n");
  EXPECT_EQ(shell("cat good | $B classify -m model --jsonl /dev/stdin | wc -l").out, "1\n");
}

TEST_F(ProgramTest, APathThatIsNotUtf8ComesBackThroughPython) {
  ASSERT_EQ(std::system("python3 -c ''"), 0) << "this test needs python3";
  const Outcome outcome = shell(
      "name=$(printf 'odd\\xff\\xc3name'); cp good \"$name\"\n"
      "$B classify -m model --json \"$name\" | python3 -c "
      "'import json, re, sys; text = json.load(sys.stdin)[0][\"path\"].encode()\n"
      "print(re.sub(rb\"\\\\x([0-9a-f]{2})\", lambda m: bytes.fromhex(m[1].decode()), text))'");
  EXPECT_EQ(outcome.out, "b'odd\\xff\\xc3name'\n") << outcome.err;
}

TEST_F(ProgramTest, AllThatIsWrittenOfPathsThatAreNotUtf8IsUtf8) {
  const Outcome outcome = shell(R"sh(
    m=$(printf 'mod\xe9l'); cp -r model "$m"; f=$(printf 'caf\xe9'); cp good "$f"
    check() { python3 -c 'import json, sys; json.dumps(json.load(sys.stdin), ensure_ascii=False).encode()' && echo ok; }
    $B classify -m "$m" --json "$f" | check
    $B inspect -m "$m" --json | check
    $B explain -m "$m" --json --html page.html "$f" | check
    $B classify -m "$m" --json "$f-missing" | check
    $B classify -m "$m" "$f" | iconv -f utf-8 > /dev/null && iconv -f utf-8 page.html > /dev/null && echo ok)sh");
  EXPECT_EQ(outcome.out, "ok\nok\nok\nok\nok\n") << outcome.err;
}

TEST_F(ProgramTest, AThresholdSaysUnknown) {
  EXPECT_THAT(shell("$B classify -m model --threshold 1 good").out, StartsWith("good  unknown (best: class_6 "));
  EXPECT_THAT(shell("$B classify -m model --threshold 1 --jsonl good").out,
              HasSubstr(R"({"label":"unknown","index":-1,)"));
  EXPECT_THAT(shell("$B classify -m model --threshold 0 good").out, StartsWith("good  class_6 "));
}

TEST_F(ProgramTest, AClosedPipeEndsQuietly) {
  const Outcome outcome = shell(
      "for i in $(seq 3000); do echo good; done > many\n"
      "$B classify -m model --jsonl --logits --files-from many | head -n 1 > /dev/null; echo ${PIPESTATUS[0]}");
  EXPECT_EQ(outcome.out, "0\n");
  EXPECT_EQ(outcome.err, "");
}

TEST_F(ProgramTest, AFullDiskIsAFailure) {
  const Outcome outcome = shell("$B classify -m model good > /dev/full");
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.err, HasSubstr("standard output: No space left"));
  EXPECT_EQ(shell("$B --help > /dev/full").status, 3);
  const Outcome obfuscated = shell("$B obfuscate keygen -o k > k.txt && $B obfuscate apply --key k good -o - > /dev/full");
  EXPECT_EQ(obfuscated.status, 3);
  EXPECT_THAT(obfuscated.err, Not(HasSubstr("internal error")));
}

TEST_F(ProgramTest, ClosedDescriptorsAreNoticed) {
  EXPECT_EQ(shell("$B classify -m model - <&-").status, 2);
  EXPECT_EQ(shell("$B classify -m model good >&-").status, 3);
  EXPECT_EQ(shell("$B classify -m model good 2>&-").status, 0);
}

TEST_F(ProgramTest, AnInterruptLeavesWholeOutput) {
  const Outcome outcome = shell(
      "yes good | head -n 1000000 > endless\n"
      "timeout -s INT 1 $B classify -m model --json --files-from endless > partial; echo $?\n"
      "tail -n 1 partial");
  EXPECT_THAT(outcome.out, EndsWith("]\n"));
  EXPECT_THAT(shell("timeout -s INT 0.5 $B classify -m model --json - < <(sleep 3); echo $?").out, HasSubstr("124"));
}

TEST_F(ProgramTest, AnInterruptedExplanationLeavesNothing) {
  const Outcome outcome = shell(
      "head -c 100000 /dev/zero > long\n"
      "timeout --preserve-status -s INT 1 $B explain -m $DATA/../../untrained-nano --step 1 --span 1 long --html "
      "interrupted.html\n"
      "echo $?; ls interrupted.html");
  EXPECT_EQ(outcome.out, "130\n");
}

TEST_F(ProgramTest, GradientsWithoutTheTrainerSayHowToGetIt) {
  const Outcome outcome = shell(
      "mkdir -p bin; cp $B bin/; PATH=/usr/bin:/bin bin/byteformer explain -m model good --method "
      "integrated-gradients");
  EXPECT_EQ(outcome.status, 3);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("byteformer-train, which is not installed here"));
  EXPECT_THAT(outcome.err, HasSubstr("--method occlusion"));
}

TEST_F(ProgramTest, ExportedWeightsComeBackTheSame) {
  const Outcome outcome = shell(
      "$B export model --to pt && $B import model.pt --config model/config.json -o again &&\n"
      "$B export again --to safetensors -o again.safetensors && $B export model --to safetensors &&\n"
      "cmp again.safetensors model.safetensors");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(shell("$B export model --to pt").status, 3);
  EXPECT_EQ(shell("$B export model --to pt --force").status, 0);
  EXPECT_EQ(shell("$B export model --to pt -o model/model.safetensors --force").status, 2);
  EXPECT_EQ(shell("$B export model --to onnx && head -c 2 model.onnx | od -An -tx1").out, "model.onnx\n 08 08\n");
}

TEST_F(ProgramTest, InspectsModelsAndConfigurations) {
  EXPECT_THAT(shell("$B inspect -m model").out, HasSubstr("as run here"));
  EXPECT_EQ(shell("$B inspect -m model --json").status, 0);
  EXPECT_EQ(shell("$B inspect -m $DATA/config.json --bytes 1500 --masking masked").status, 0);
  EXPECT_EQ(shell("$B inspect -m good").status, 3);
  const std::string published = "$B inspect -m $DATA/../../published/image_tiff.yaml";
  EXPECT_THAT(shell(published).out, AllOf(HasSubstr("masking released"), HasSubstr("9,415")));
  EXPECT_THAT(shell(published + " --masking masked").out, HasSubstr("9,417"));
}

TEST_F(ProgramTest, KeysMayComeThroughPipes) {
  const Outcome outcome = shell(
      "$B obfuscate keygen -o key > /dev/null && $B obfuscate apply --key key good -o secret &&\n"
      "$B obfuscate apply --key <(cat key) good -o same && cmp secret same &&\n"
      "$B obfuscate rekey model --key <(cat key) -o keyed > /dev/null &&\n"
      "$B classify -m keyed --key <(cat key) --json --logits good | sed 's/,\"prepared\":true//' > keyed.json &&\n"
      "$B classify -m model --json --logits good > plain.json && cmp keyed.json plain.json");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(shell("$B obfuscate apply --key <(yes) good -o other").err,
              HasSubstr("more than 256 bytes, a key has 256"));
  EXPECT_THAT(shell("$B obfuscate apply --key <(echo x) good -o other").err, HasSubstr("it has 2 bytes"));
}

TEST_F(ProgramTest, AnEmptyFolderIsAFailedInput) {
  const Outcome outcome = shell("mkdir hollow; $B classify -m model -r hollow --jsonl");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, HasSubstr("hollow: there is no file in this folder"));
  EXPECT_EQ(shell("$B classify -m model -r hollow good").status, 1);
  EXPECT_EQ(shell("$B encode -r hollow --to png -o out").status, 1);
}

TEST_F(ProgramTest, MeasuresSpeed) {
  const Outcome outcome = shell("$B bench -m model -n 3 --json good");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr(R"("calls":3,"files":3,"bytes":4500)"));
  EXPECT_THAT(shell("$B bench -m model -n 2 --bytes 1000").out, HasSubstr("GFLOP/s"));
  EXPECT_EQ(shell("$B bench -m model missing").status, 1);
}

const std::string kAlone = "mkdir -p alone; cp $B alone/; ALONE=alone/$(basename $B); PATH=/usr/bin:/bin; ";

TEST_F(ProgramTest, PlansAPublishedRunWithoutDataAndTrainer) {
  const std::string run = kAlone + "RUNS=$DATA/../../published; ";
  const Outcome plan = shell(run + "$ALONE train --config $RUNS/camera_0.05_k4.yaml --kernel 8 --dry-run --json");
  EXPECT_EQ(plan.status, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr(R"("data_set": "imagenet")"));
  EXPECT_THAT(plan.err, HasSubstr("a plan for the CPU"));
  EXPECT_THAT(plan.err, HasSubstr("--kernel 8, not 4 of"));
  EXPECT_THAT(shell("$B train --dry-run").err, HasSubstr("--data is required (or --config, or --resume)"));
}

TEST_F(ProgramTest, PlansForDataWithoutTrainer) {
  const std::string data =
      kAlone + "mkdir -p d/cat d/dog full; for i in 1 2 3 4 5 6; do head -c $i$i$i $B >d/cat/$i; cp d/cat/$i d/dog/$i; "
               "printf x >>d/dog/$i; done; touch full/it; ";
  const Outcome plan = shell(data + "$ALONE train -d d -o m --dry-run");
  EXPECT_EQ(plan.status, 0) << plan.err;
  EXPECT_THAT(plan.err, HasSubstr("data: 2 classes (cat, dog)"));
  EXPECT_THAT(plan.err, HasSubstr("a step is timed when training starts (--time and --epochs change that)"));
  const Outcome json = shell(data + "$ALONE train -d d -o m --dry-run --steps 7 --json");
  EXPECT_THAT(json.out, HasSubstr(R"("total_steps": 7)")) << json.err;
  const Outcome full = shell(data + "$ALONE train -d d -o full --dry-run");
  EXPECT_EQ(full.status, 3);
  EXPECT_THAT(full.err, HasSubstr("full: exists already"));
  EXPECT_THAT(shell(data + "$ALONE train -d d -o m").err, HasSubstr("needs the program byteformer-train"));
}

}  // namespace
