// Writes nodes, constants and attributes into the messages of the format.
#include "interop/onnx/graph.hpp"

#include <bit>
#include <cstring>
#include <utility>

namespace byteformer::interop::onnx {
namespace {

Number computed(std::string_view op, const Number& a, const Value& b) { return {a.graph->add(op, {a, b}), a.graph}; }

Value constant(const Number& beside, std::uint64_t value) {
  return beside.graph->number(static_cast<std::int64_t>(value));
}

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

template <typename T>
std::string bytes_of(std::span<const T> values) {
  const auto bytes = std::as_bytes(values);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void describe(proto::ValueInfo& info, std::string_view name, proto::Tensor::DataType type,
              std::initializer_list<std::string_view> dimensions) {
  info.set_name(std::string(name));
  proto::TensorType& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  for (const std::string_view dimension : dimensions)
    tensor.mutable_shape()->add_dim()->set_dim_param(std::string(dimension));
}

}  // namespace

Number operator+(const Number& a, std::uint64_t b) { return b == 0 ? a : computed("Add", a, constant(a, b)); }
Number operator-(const Number& a, std::uint64_t b) { return b == 0 ? a : computed("Sub", a, constant(a, b)); }
Number operator-(const Number& a, const Number& b) { return computed("Sub", a, b); }
Number operator*(const Number& a, std::uint64_t b) { return b == 1 ? a : computed("Mul", a, constant(a, b)); }
Number operator/(const Number& a, std::uint64_t b) { return b == 1 ? a : computed("Div", a, constant(a, b)); }
Number at_least(const Number& a, std::uint64_t least) { return computed("Max", a, constant(a, least)); }
Number at_least(const Number& a, const Number& least) { return computed("Max", a, least); }

Attribute::Attribute(std::string_view name, std::int64_t value) {
  message.set_name(std::string(name));
  message.set_type(proto::Attribute::INT);
  message.set_i(value);
}

Attribute::Attribute(std::string_view name, float value) {
  message.set_name(std::string(name));
  message.set_type(proto::Attribute::FLOAT);
  message.set_f(value);
}

Attribute::Attribute(std::string_view name, std::initializer_list<std::int64_t> values) {
  message.set_name(std::string(name));
  message.set_type(proto::Attribute::INTS);
  for (const std::int64_t value : values) message.add_ints(value);
}

Value Graph::input(std::string_view name, proto::Tensor::DataType type,
                   std::initializer_list<std::string_view> dimensions) {
  describe(*graph_.add_input(), name, type, dimensions);
  return {std::string(name)};
}

void Graph::output(const Value& value, std::string_view name, std::initializer_list<std::string_view> dimensions,
                   std::int64_t last_dimension) {
  proto::Node& node = *graph_.add_node();
  node.set_op_type("Identity");
  node.set_name(std::string(name));
  node.add_input(value.name);
  node.add_output(std::string(name));
  proto::ValueInfo& info = *graph_.add_output();
  describe(info, name, proto::Tensor::FLOAT, dimensions);
  info.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(last_dimension);
}

Value Graph::initializer(std::string name, proto::Tensor::DataType type, std::span<const std::int64_t> shape,
                         std::string bytes) {
  proto::Tensor& tensor = *graph_.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const std::int64_t size : shape) tensor.add_dims(size);
  tensor.set_raw_data(std::move(bytes));
  return {std::move(name)};
}

Value Graph::weight(std::string_view name, const std::vector<std::int64_t>& shape, std::span<const float> values) {
  return initializer(std::string(name), proto::Tensor::FLOAT, shape, bytes_of(values));
}

Value Graph::scalar(float value) {
  return initializer(fresh("scalar"), proto::Tensor::FLOAT, {}, bytes_of(std::span<const float>(&value, 1)));
}

Value Graph::integers(std::span<const std::int64_t> values) {
  const auto [entry, is_new] = integers_.try_emplace({values.begin(), values.end()});
  if (is_new) {
    const auto length = static_cast<std::int64_t>(values.size());
    entry->second = initializer(fresh("integers"), proto::Tensor::INT64, {&length, 1}, bytes_of(values)).name;
  }
  return {entry->second};
}

Value Graph::add(std::string_view op, std::initializer_list<Value> inputs,
                 std::initializer_list<Attribute> attributes) {
  proto::Node& node = *graph_.add_node();
  const std::string name = fresh(op);
  node.set_op_type(std::string(op));
  node.set_name(name);
  for (const Value& input : inputs) node.add_input(input.name);
  for (const Attribute& attribute : attributes) *node.add_attribute() = attribute.message;
  node.add_output(name);
  return {name};
}

Number Graph::dimension(const Value& tensor, std::int64_t axis) {
  return {add("Shape", {tensor}, {{"start", axis}, {"end", axis + 1}}), this};
}

Value Graph::reshape(const Value& tensor, std::initializer_list<std::int64_t> shape) {
  return add("Reshape", {tensor, integers(shape)});
}

Value Graph::transpose(const Value& tensor, std::initializer_list<std::int64_t> order) {
  return add("Transpose", {tensor}, {{"perm", order}});
}

Value Graph::slice(const Value& tensor, const Value& begin, const Value& end, std::int64_t axis) {
  return add("Slice", {tensor, begin, end, number(axis)});
}

Value Graph::pad_rows(const Value& tensor, const Value& before, const Value& after) {
  const Value none = number(0);
  return add("Pad", {tensor, add("Concat", {none, before, none, none, after, none}, {{"axis", std::int64_t{0}}})});
}

std::string Graph::fresh(std::string_view stem) {
  const auto [entry, is_new] = num_named_.try_emplace(std::string(stem), 0);
  return entry->first + "_" + std::to_string(entry->second++);
}

}  // namespace byteformer::interop::onnx
