// The stack machine of Python's pickle, protocols 2 to 5, cut down to what torch.save emits; objects that it does not
// know are stepped over.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/bytes_io.hpp"
#include "base/text.hpp"
#include "interop/pickle.hpp"

namespace byteformer::interop::pickle {
namespace {

using base::as_text;
using base::ByteReader;
using base::excerpt;
using base::fail;
using base::fail_format;

// A checkpoint of a thousand tensors needs some 30,000 values; these bounds keep a hostile one under 200 MB.
constexpr std::size_t kMaxPickleBytes = 64 << 20;
constexpr std::size_t kMaxValues = 500'000;
constexpr std::size_t kMaxStackDepth = 1'000'000;
constexpr std::size_t kMaxMemoEntries = 1'000'000;
constexpr std::size_t kMaxRank = 8;
constexpr std::size_t kMaxGlobalNameBytes = 256;
constexpr Foreign kSet{"builtins", "set"};

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& source) : source_(source), reader_(bytes, source) {}

  Pickle run() {
    check_protocol();
    for (;;) {
      op_offset_ = reader_.position();
      const std::uint8_t op = reader_.u8();
      if (op == kStop) break;
      if (!run_scalar(op) && !run_text(op) && !run_container(op) && !run_memo(op) && !run_object(op)) refuse_opcode(op);
    }
    pickle_.root = pop();
    if (!stack_.empty() || !marks_.empty() || reader_.num_left() != 0) malformed("something is left over at the end");
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void malformed(std::string_view reason) const {
    fail_format(source_, "is a malformed pickle: at offset ", op_offset_, ": ", reason);
  }

  [[noreturn]] void refuse_opcode(std::uint8_t op) const {
    const char symbol = static_cast<char>(op);
    fail(ErrorCode::kUnsupported, base::About{source_}, "pickle opcode ", int{op}, " \"", excerpt({&symbol, 1}),
         "\" at offset ", op_offset_, " is not on the list of what a state dict needs; save the weights alone, with ",
         "torch.save(model.state_dict(), path)");
  }

  void check_protocol() {
    if (reader_.u8() != kProto) malformed("it does not begin with its protocol");
    if (const std::uint8_t protocol = reader_.u8(); protocol < 2 || protocol > 5)
      fail(ErrorCode::kUnsupported, base::About{source_}, "has pickle protocol ", int{protocol}, ", expected 2 to 5");
  }

  // The stack.

  void push_id(ValueId id) {
    if (stack_.size() >= kMaxStackDepth) malformed("the stack is too deep");
    stack_.push_back(id);
  }

  bool push(Value value) {
    if (pickle_.values.size() >= kMaxValues) malformed("it has too many values");
    pickle_.values.push_back(std::move(value));
    push_id(static_cast<ValueId>(pickle_.values.size() - 1));
    return true;
  }

  ValueId pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) malformed("the stack is empty");
    const ValueId id = stack_.back();
    stack_.pop_back();
    return id;
  }

  /// The values above the last mark, which goes away with them.
  std::vector<ValueId> pop_to_mark() {
    if (marks_.empty()) malformed("there is no mark");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<ValueId> ids(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return ids;
  }

  template <typename T>
  T& as(ValueId id, std::string_view expected) {
    T* value = std::get_if<T>(&pickle_.values[id]);
    if (value == nullptr) malformed(base::joined("found ", kind_of(pickle_.values[id]), ", expected ", expected));
    return *value;
  }

  ValueId top_id() {
    stack_.push_back(pop());
    return stack_.back();
  }

  template <typename T>
  T& top(std::string_view expected) {
    return as<T>(top_id(), expected);
  }

  // Opcodes, by kind; each function returns whether the opcode was its own.

  bool run_scalar(std::uint8_t op) {
    switch (op) {
      case kNone:
      case kNewTrue:
      case kNewFalse: return push(Ignored{});
      case kBinInt: return push(std::int64_t{static_cast<std::int32_t>(reader_.u32())});
      case kBinInt1: return push(std::int64_t{reader_.u8()});
      case kBinInt2: return push(std::int64_t{reader_.u16()});
      case kLong1: return push(long_integer(reader_.take(reader_.u8())));
      case kLong4: return push(long_integer(reader_.take(reader_.u32())));
      case kBinFloat: reader_.take(8); return push(Ignored{});
      default: return false;
    }
  }

  static Value long_integer(std::span<const std::byte> bytes) {
    if (bytes.size() > sizeof(std::uint64_t)) return Ignored{};
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) bits |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    const std::size_t num_missing_bits = 64 - 8 * bytes.size();
    if (num_missing_bits == 64) return std::int64_t{0};
    return static_cast<std::int64_t>(bits << num_missing_bits) >> num_missing_bits;  // extends the sign
  }

  bool run_text(std::uint8_t op) {
    switch (op) {
      case kShortBinString:
      case kShortBinUnicode: return push(as_text(reader_.take(reader_.u8())));
      case kBinString:
      case kBinUnicode: return push(as_text(reader_.take(reader_.u32())));
      case kBinUnicode8: return push(as_text(reader_.take(reader_.u64())));
      case kShortBinBytes: reader_.take(reader_.u8()); return push(Ignored{});
      case kBinBytes: reader_.take(reader_.u32()); return push(Ignored{});
      case kBinBytes8:
      case kByteArray8: reader_.take(reader_.u64()); return push(Ignored{});
      default: return false;
    }
  }

  bool run_container(std::uint8_t op) {
    switch (op) {
      case kMark: return mark();
      case kEmptyTuple:
      case kEmptyList: return push(Sequence{});
      case kTuple: return push(Sequence{pop_to_mark()});
      case kTuple1: return push_tuple(1);
      case kTuple2: return push_tuple(2);
      case kTuple3: return push_tuple(3);
      case kAppend: return append({pop()});
      case kAppends: return append(pop_to_mark());
      case kEmptyDict: return push(Dict{});
      case kSetItem: return set_items(pop_tuple(2));
      case kSetItems: return set_items(pop_to_mark());
      case kEmptySet: return push(kSet);
      case kFrozenSet: pop_to_mark(); return push(kSet);
      case kAddItems:
        pop_to_mark();
        if (!top_is_foreign()) malformed("found no set to add to");
        return true;
      default: return false;
    }
  }

  bool mark() {
    if (marks_.size() >= kMaxStackDepth) malformed("there are too many marks");
    marks_.push_back(stack_.size());
    return true;
  }

  std::vector<ValueId> pop_tuple(std::size_t size) {
    std::vector<ValueId> ids(size);
    for (std::size_t i = size; i-- > 0;) ids[i] = pop();
    return ids;
  }

  bool push_tuple(std::size_t size) { return push(Sequence{pop_tuple(size)}); }

  /// Whether the value on top is one whose content does not matter.
  bool top_is_foreign() { return std::holds_alternative<Foreign>(pickle_.values[top_id()]); }

  bool append(const std::vector<ValueId>& ids) {
    if (top_is_foreign()) return true;
    auto& items = top<Sequence>("a list").items;
    items.insert(items.end(), ids.begin(), ids.end());
    return true;
  }

  bool set_items(const std::vector<ValueId>& ids) {
    if (ids.size() % 2 != 0) malformed("a key has no value");
    if (top_is_foreign()) return true;
    auto& items = top<Dict>("a dict").items;
    for (std::size_t i = 0; i < ids.size(); i += 2) items.emplace_back(ids[i], ids[i + 1]);
    return true;
  }

  bool run_memo(std::uint8_t op) {
    switch (op) {
      case kBinPut: return memoize(reader_.u8());
      case kLongBinPut: return memoize(reader_.u32());
      case kMemoize: return memoize(static_cast<std::uint32_t>(memo_.size()));
      case kBinGet: return recall(reader_.u8());
      case kLongBinGet: return recall(reader_.u32());
      case kFrame: reader_.u64(); return true;  // a hint for buffered readers
      case kPop: pop(); return true;
      case kPopMark: pop_to_mark(); return true;
      case kDup: push_id(top_id()); return true;
      default: return false;
    }
  }

  bool memoize(std::uint32_t key) {
    const ValueId id = top_id();
    if (memo_.size() >= kMaxMemoEntries) malformed("the memo is too large");
    memo_[key] = id;
    return true;
  }

  bool recall(std::uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) malformed(base::joined("the memo has no entry ", key));
    push_id(found->second);
    return true;
  }

  bool run_object(std::uint8_t op) {
    switch (op) {
      case kGlobal: {
        const std::string_view module = line();
        return push(find_global(module, line()));
      }
      case kStackGlobal: {
        const auto names = pop_tuple(2);
        const auto module = as<std::string_view>(names[0], "a module");
        return push(find_global(module, as<std::string_view>(names[1], "a name")));
      }
      case kReduce: return call();
      case kNewObjEx: pop(); return make_foreign();
      case kNewObj: return make_foreign();
      case kBuild:
        pop();  // of an OrderedDict only its attribute _metadata
        if (!top_is_foreign()) top<Dict>("an OrderedDict");
        return true;
      case kBinPersId: return push(storage(as<Sequence>(pop(), "a tuple").items));
      default: return false;
    }
  }

  std::string_view line() {
    const std::size_t limit = std::min(reader_.num_left(), kMaxGlobalNameBytes);
    ByteReader ahead = reader_;
    const std::string_view text = as_text(ahead.take(limit));
    const auto end = text.find('\n');
    if (end == std::string_view::npos) malformed("a global's name does not end");
    reader_.take(end + 1);
    return text.substr(0, end);
  }

  /// The object that a class on the stack would make of the arguments above it.
  bool make_foreign() {
    as<Sequence>(pop(), "a tuple of arguments");
    return push(as<Foreign>(pop(), "a class"));
  }

  // The few objects.

  Value storage(const std::vector<ValueId>& id) {
    if (id.size() < 5 || as<std::string_view>(id[0], "\"storage\"") != "storage") malformed("it is no storage id");
    if (const auto* foreign = std::get_if<Foreign>(&pickle_.values[id[1]])) return *foreign;
    const std::int64_t num_elements = as<std::int64_t>(id[4], "a number of elements");
    if (num_elements < 0) malformed("a storage has a negative size");
    return StorageRef{as<StorageType>(id[1], "a storage class").dtype, as<std::string_view>(id[2], "a storage key"),
                      static_cast<std::uint64_t>(num_elements)};
  }

  bool call() {
    const auto& args = as<Sequence>(pop(), "a tuple of arguments").items;  // a deque: pushing does not move it
    const ValueId callee = pop();
    if (const auto* foreign = std::get_if<Foreign>(&pickle_.values[callee])) return push(Foreign{*foreign});
    switch (as<Callable>(callee, "something to call")) {
      case Callable::kOrderedDict:
        if (!args.empty()) malformed("OrderedDict takes no argument");
        return push(Dict{});
      case Callable::kRebuildTensor: return push(tensor(args));
      case Callable::kRebuildParameter:
        if (args.empty()) malformed("_rebuild_parameter has no argument");
        push_id(args[0]);
        return true;
      case Callable::kSize:
        if (args.size() != 1) malformed("torch.Size takes one argument");
        push_id(args[0]);
        return true;
    }
    return false;
  }

  /// _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks[, metadata]).
  Value tensor(const std::vector<ValueId>& args) {
    if (args.size() < 4 || args.size() > 7) malformed("_rebuild_tensor_v2 takes 4 to 7 arguments");
    if (const auto* foreign = std::get_if<Foreign>(&pickle_.values[args[0]])) return *foreign;
    const std::int64_t offset = as<std::int64_t>(args[1], "an offset");
    if (offset < 0) malformed("a tensor has a negative offset");
    return TensorRef{as<StorageRef>(args[0], "a storage"), static_cast<std::uint64_t>(offset), sizes(args[2]),
                     sizes(args[3])};
  }

  std::vector<std::int64_t> sizes(ValueId id) {
    const auto& items = as<Sequence>(id, "a tuple of sizes").items;
    if (items.size() > kMaxRank) malformed("a tensor has too many dimensions");
    std::vector<std::int64_t> out;
    for (const ValueId item : items) {
      out.push_back(as<std::int64_t>(item, "a size"));
      if (out.back() < 0) malformed("a tensor has a negative size or stride");
    }
    return out;
  }

  const std::string& source_;
  ByteReader reader_;
  Pickle pickle_;
  std::vector<ValueId> stack_;
  std::vector<std::size_t> marks_;  ///< heights of the stack
  std::unordered_map<std::uint32_t, ValueId> memo_;
  std::size_t op_offset_ = 0;
};

}  // namespace

std::string kind_of(const Value& value) {
  if (const auto* foreign = std::get_if<Foreign>(&value))
    return "an object of " + excerpt(foreign->module) + "." + excerpt(foreign->name);
  static constexpr const char* kKinds[] = {"a plain value", "an object",  "an integer", "a string",  "a tuple or list",
                                           "a dict",        "a function", "a class",    "a storage", "a tensor"};
  static_assert(std::size(kKinds) == std::variant_size_v<Value>);
  return kKinds[value.index()];
}

Pickle read(std::span<const std::byte> bytes, const std::string& source) {
  if (bytes.size() > kMaxPickleBytes)
    fail_format(source, "has ", bytes.size(), " bytes, at most ", kMaxPickleBytes, " are allowed");
  return Machine(bytes, source).run();
}

// The allow-list of globals.

namespace {

struct StorageClass {
  std::string_view name;
  format::DType dtype;
};

using enum format::DType;
constexpr std::array kStorageClasses{StorageClass{"FloatStorage", kF32},     StorageClass{"HalfStorage", kF16},
                                     StorageClass{"BFloat16Storage", kBF16}, StorageClass{"DoubleStorage", kF64},
                                     StorageClass{"LongStorage", kI64},      StorageClass{"IntStorage", kI32},
                                     StorageClass{"ShortStorage", kI16},     StorageClass{"CharStorage", kI8},
                                     StorageClass{"ByteStorage", kU8},       StorageClass{"BoolStorage", kBool}};

}  // namespace

Value find_global(std::string_view module, std::string_view name) {
  if (module == "collections" && name == "OrderedDict") return Callable::kOrderedDict;
  if (module == "torch._utils" && name == "_rebuild_tensor_v2") return Callable::kRebuildTensor;
  if (module == "torch._utils" && name == "_rebuild_parameter") return Callable::kRebuildParameter;
  if (module == "torch" && name == "Size") return Callable::kSize;
  if (module == "torch.storage" && name == "UntypedStorage") return StorageType{format::DType::kU8};
  const Foreign foreign{module, name};
  if (module != "torch") return foreign;
  const auto* found = std::ranges::find(kStorageClasses, name, &StorageClass::name);
  if (found == kStorageClasses.end()) return foreign;
  return StorageType{found->dtype};
}

std::string_view storage_class(format::DType dtype) {
  const auto* found = std::ranges::find(kStorageClasses, dtype, &StorageClass::dtype);
  if (found == kStorageClasses.end()) fail(ErrorCode::kInternal, "no storage class for ", to_string(dtype));
  return found->name;
}

}  // namespace byteformer::interop::pickle
