// The pickle machine: the values it makes, and the pickles it refuses.
#include "interop/pickle.hpp"

#include <gtest/gtest.h>

#include "support/errors.hpp"
#include "support/files.hpp"

namespace byteformer::interop::pickle {
namespace {

using test::expect_error;
using test::little_endian;

const std::string kStart = "\x80\x02";
const std::string kStorage = "(X" + little_endian(7, 4) + "storagectorch\nFloatStorage\nX" + little_endian(1, 4) +
                             "0X" + little_endian(3, 4) + "cpuK\x06tQ";

Pickle read_text(const std::string& text) { return read(test::as_bytes(text), "p"); }

template <typename T>
T root_of(const std::string& body) {
  const std::string text = kStart + body + ".";
  const Pickle pickle = read_text(text);
  const T* value = pickle.get_if<T>(pickle.root);
  EXPECT_NE(value, nullptr) << kind_of(pickle.values[pickle.root]);
  return value != nullptr ? *value : T{};
}

void expect_malformed(const std::string& body, std::string_view part) {
  expect_error(ErrorCode::kInvalidFormat, {"p: ", part}, [&] { read_text(kStart + body); });
}

TEST(PickleTest, ReadsIntegers) {
  EXPECT_EQ(root_of<std::int64_t>("K\xFF"), 255);
  EXPECT_EQ(root_of<std::int64_t>("M\x01\x02"), 0x0201);
  EXPECT_EQ(root_of<std::int64_t>("J\xFF\xFF\xFF\xFF"), -1);
  EXPECT_EQ(root_of<std::int64_t>(std::string("\x8A\x00", 2)), 0);
  EXPECT_EQ(root_of<std::int64_t>("\x8A\x01\x80"), -128);
  EXPECT_EQ(root_of<std::int64_t>(std::string("\x8A\x02\x80\x00", 4)), 128);
  EXPECT_EQ(root_of<std::int64_t>("\x8A\x08" + little_endian(static_cast<std::uint64_t>(INT64_MIN), 8)), INT64_MIN);
  root_of<Ignored>("\x8A\x09" + std::string(9, '\x01'));
}

TEST(PickleTest, IgnoresPlainValues) {
  for (const std::string body : {"N", "\x88", "\x89", "G12345678", "C\x02zz"}) root_of<Ignored>(body);
}

TEST(PickleTest, ReadsTexts) {
  EXPECT_EQ(root_of<std::string_view>("X" + little_endian(2, 4) + "ab").size(), 2U);
  EXPECT_EQ(root_of<std::string_view>("\x8C\x02"
                                      "ab")
                .size(),
            2U);
  EXPECT_EQ(root_of<std::string_view>("\x8D" + little_endian(2, 8) + "ab").size(), 2U);
}

TEST(PickleTest, ReadsContainers) {
  EXPECT_EQ(root_of<Sequence>("(K\x01K\x02K\x03t").items.size(), 3U);
  EXPECT_EQ(root_of<Sequence>("K\x01K\x02\x86").items.size(), 2U);
  EXPECT_EQ(root_of<Sequence>("](K\x01K\x02"
                              "eK\x03"
                              "a")
                .items.size(),
            3U);
  EXPECT_EQ(root_of<Dict>("}(K\x01K\x02K\x01K\x03u").items.size(), 2U);
  EXPECT_EQ(root_of<Dict>("}K\x01K\x02s").items.size(), 1U);
  EXPECT_EQ(root_of<Dict>("ccollections\nOrderedDict\n)R}b").items.size(), 0U);
}

TEST(PickleTest, ReadsTheMemo) {
  EXPECT_EQ(root_of<Sequence>("]q\x07h\x07"
                              "a")
                .items.size(),
            1U)
      << "a list may hold itself";
  EXPECT_EQ(root_of<Sequence>("K\x05\x94"
                              "h" +
                              std::string(1, '\0') + "\x86")
                .items.size(),
            2U);
  EXPECT_EQ(root_of<Sequence>("K\x05r" + little_endian(0xFFFFFFFF, 4) + "j" + little_endian(0xFFFFFFFF, 4) + "\x86")
                .items.size(),
            2U);
}

TEST(PickleTest, RebuildsATensor) {
  const std::string body =
      "ctorch._utils\n_rebuild_tensor_v2\n(" + kStorage + "K\x01K\x02K\x02\x86K\x02K\x01\x86\x89NtR";
  const std::string text = kStart + body + ".";
  const Pickle pickle = read_text(text);
  const auto* tensor = pickle.get_if<TensorRef>(pickle.root);
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->storage.dtype, format::DType::kF32);
  EXPECT_EQ(tensor->storage.key, "0");
  EXPECT_EQ(tensor->storage.num_elements, 6U);
  EXPECT_EQ(tensor->offset, 1U);
  EXPECT_EQ(tensor->shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(tensor->strides, (std::vector<std::int64_t>{2, 1}));
}

TEST(PickleTest, StepsOverWhatItDoesNotKnow) {
  const std::string text = "X" + little_endian(2, 4) + "ls";
  for (const std::string global :
       {"os\nsystem", "posix\nsystem", "builtins\neval", "__builtin__\ngetattr", "torch\nload",
        "torch._utils\n_rebuild_tensor_v3", "collections\nOrderedDict ", "\n"}) {
    const std::string called = kStart + "c" + global + "\n" + text + "\x85R.";
    const Pickle pickle = read_text(called);
    const auto* foreign = pickle.get_if<Foreign>(pickle.root);
    ASSERT_NE(foreign, nullptr) << global;
    EXPECT_EQ(std::string(foreign->module) + "\n" + std::string(foreign->name), global);
  }
  const std::string stack_global = "\x80\x04\x8C\x05posix\x8C\x06system\x93.";
  const Pickle pickle = read_text(stack_global);
  EXPECT_EQ(kind_of(pickle.values[pickle.root]), "an object of posix.system");
}

TEST(PickleTest, StepsOverTheContentOfObjects) {
  const std::string list = "cbuiltins\nlist\n", object = "cargparse\nNamespace\n)\x81";
  root_of<Foreign>(object + "}X" + little_endian(2, 4) + "lrG12345678sb");  // built of its attributes
  root_of<Foreign>("cm\nC\n)}\x92");                                        // with keyword arguments
  root_of<Foreign>("ccollections\ndefaultdict\n" + list + "\x85R(K\x01K\x02u" + "K\x03K\x04s");  // a dict of a kind
  root_of<Foreign>("ccollections\ndeque\n)R(K\x01K\x02" + std::string("eK\x03") + "a");          // a list of a kind
  root_of<Foreign>("\x8F(K\x01K\x02\x90");                                                       // a set
  root_of<Foreign>("(K\x01\x91");                                                                // a frozenset
  root_of<Ignored>("\x8E" + little_endian(2, 8) + "ab");
  root_of<Ignored>("\x96" + little_endian(2, 8) + "ab");
  EXPECT_EQ(root_of<std::int64_t>("\x8B" + little_endian(1, 4) + "\x07"), 7);
  EXPECT_EQ(root_of<Sequence>("K\x01" + std::string("2\x86")).items.size(), 2U);
  EXPECT_EQ(root_of<std::int64_t>("K\x01K\x02" + std::string("0(K\x03") + "1"), 1);
  const std::string storage = "(X" + little_endian(7, 4) + "storagectorch\nComplexFloatStorage\nNNK\x06tQ";
  root_of<Foreign>(storage);
  root_of<Foreign>("ctorch._utils\n_rebuild_tensor_v2\n(" + storage + std::string("K\0", 2) + "))tR");
}

TEST(PickleTest, RefusesOtherOpcodes) {
  const std::string allowed =
      "(.NJKMG\x8A\x8BTUX\x8C\x8D\x8E\x96"
      "BC012)t\x85\x86\x87]ae}su\x8F\x90\x91qr\x94hjc\x93R\x81\x92"
      "bQ\x95\x88\x89";
  for (int op = 0; op < 256; ++op) {
    const char symbol = static_cast<char>(op);
    if (allowed.find(symbol) != std::string::npos) continue;
    expect_error(ErrorCode::kUnsupported, {"opcode " + std::to_string(op), "offset 4"},
                 [&] { read_text(kStart + "K\x01" + symbol + "."); });
  }
}

TEST(PickleTest, RefusesOtherProtocols) {
  expect_error(ErrorCode::kUnsupported, {"protocol 1"}, [] { read_text("\x80\x01N."); });
  expect_error(ErrorCode::kUnsupported, {"protocol 6"}, [] { read_text("\x80\x06N."); });
  expect_error(ErrorCode::kInvalidFormat, {"begin with its protocol"}, [] { read_text("N."); });
  expect_error(ErrorCode::kInvalidFormat, {"cut off"}, [] { read_text(""); });
}

TEST(PickleTest, RefusesMalformedStacks) {
  expect_malformed(".", "stack is empty");
  expect_malformed("N", "cut off");
  expect_malformed("NN.", "left over");
  expect_malformed("(N.", "left over");
  expect_malformed("N.N", "left over");
  expect_malformed("t.", "no mark");
  expect_malformed("K\x01(\x85.", "stack is empty");
  expect_malformed("(K\x01u.", "a key has no value");
  expect_malformed("N(NNu.", "expected a dict");
  expect_malformed("NNa.", "expected a list");
  expect_malformed("q\x01.", "stack is empty");
  expect_malformed("h\x01.", "the memo has no entry 1");
  expect_malformed("NN\x93.", "expected a module");
  expect_malformed("X" + little_endian(0xFFFFFFFF, 4) + "ab.", "4294967295 bytes wanted");
  expect_malformed("\x8D" + little_endian(UINT64_MAX, 8) + "ab.", "18446744073709551615 bytes wanted");
  expect_malformed("c" + std::string(1000, 'm'), "does not end");
}

TEST(PickleTest, RefusesMalformedObjects) {
  expect_malformed("NN\x85R.", "expected something to call");
  expect_malformed("ccollections\nOrderedDict\nNR.", "expected a tuple of arguments");
  expect_malformed("ccollections\nOrderedDict\nN\x85R.", "takes no argument");
  expect_malformed("NNb.", "expected an OrderedDict");
  expect_malformed("N(N\x90.", "no set to add to");
  expect_malformed("N)\x81.", "expected a class");
  expect_malformed("cm\nC\nN\x81.", "expected a tuple of arguments");
  expect_malformed("ctorch._utils\n_rebuild_tensor_v2\n)R.", "4 to 7 arguments");
  expect_malformed("ctorch._utils\n_rebuild_tensor_v2\n(NNNNtR.", "expected an offset");
  expect_malformed("ctorch._utils\n_rebuild_tensor_v2\n(" + kStorage + "K\x01J\xFF\xFF\xFF\xFF\x85K\x01\x85tR.",
                   "negative size");
  expect_malformed("ctorch._utils\n_rebuild_tensor_v2\n(" + kStorage + "J\xFF\xFF\xFF\xFF))tR.", "negative offset");
  expect_malformed("ctorch._utils\n_rebuild_tensor_v2\n(" + kStorage + "K\x01(KKKKKKKKKKKKKKKKKKKKt)tR.",
                   "too many dimensions");
  expect_malformed("NQ.", "expected a tuple");
  expect_malformed("(NNNNNtQ.", "expected \"storage\"");
  expect_malformed("X" + little_endian(7, 4) + "storage\x85Q.", "no storage id");
}

TEST(PickleTest, BoundsStackMemoAndValues) {
  expect_malformed(std::string(600'000, 'N'), "too many values");
  expect_malformed(
      "N\x94" +
          [] {
            std::string gets;
            for (int i = 0; i < 1'100'000; ++i) gets += std::string("h\0", 2);
            return gets;
          }(),
      "stack is too deep");
  expect_malformed(std::string(1'100'000, '('), "too many marks");
  expect_malformed("N" + std::string(1'100'000, '\x94'), "the memo is too large");
  expect_malformed("N" + std::string(600'000, '\x85'), "too many values");  // nesting is no recursion
}

}  // namespace
}  // namespace byteformer::interop::pickle
