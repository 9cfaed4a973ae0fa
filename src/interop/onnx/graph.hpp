// Builds an ONNX graph node by node: each call adds a node and gives the value that it computes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnx.pb.h"

namespace byteformer::interop::onnx {

namespace proto = byteformer::onnx;

/// Names what a node computes, an input, or an initializer.
struct Value {
  std::string name;
};

class Graph;

/// A length that depends on the file: a one-element int64 tensor, at least 0. Arithmetic adds nodes to its graph; what
/// changes nothing adds none.
struct Number : Value {
  Graph* graph;
};
Number operator+(const Number& a, std::uint64_t b);
Number operator-(const Number& a, std::uint64_t b);
Number operator-(const Number& a, const Number& b);
Number operator*(const Number& a, std::uint64_t b);
Number operator/(const Number& a, std::uint64_t b);  ///< rounds down
Number at_least(const Number& a, std::uint64_t least);
Number at_least(const Number& a, const Number& least);

/// An attribute of a node. The converting constructors make calls read like the standard's tables.
struct Attribute {
  Attribute(std::string_view name, std::int64_t value);
  Attribute(std::string_view name, float value);
  Attribute(std::string_view name, std::initializer_list<std::int64_t> values);
  proto::Attribute message;
};

/// A graph under construction.
class Graph {
 public:
  Value input(std::string_view name, proto::Tensor::DataType type, std::initializer_list<std::string_view> dimensions);
  void output(const Value& value, std::string_view name, std::initializer_list<std::string_view> dimensions,
              std::int64_t last_dimension);

  /// A tensor of the model, under its own name. \throws Error kUnsupported for a type that is no float.
  Value weight(std::string_view name, const std::vector<std::int64_t>& shape, std::span<const float> values);
  Value scalar(float value);
  Value integers(std::span<const std::int64_t> values);
  Value integers(std::initializer_list<std::int64_t> values) {
    return integers(std::span(values.begin(), values.size()));
  }
  Number number(std::int64_t value) { return {integers({value}), this}; }

  Value add(std::string_view op, std::initializer_list<Value> inputs, std::initializer_list<Attribute> attributes = {});

  Number dimension(const Value& tensor, std::int64_t axis);
  Value reshape(const Value& tensor, std::initializer_list<std::int64_t> shape);
  Value transpose(const Value& tensor, std::initializer_list<std::int64_t> order);
  Value slice(const Value& tensor, const Value& begin, const Value& end, std::int64_t axis);
  /// Zero rows before and after, along axis 1 of a tensor of rank 3.
  Value pad_rows(const Value& tensor, const Value& before, const Value& after);

  proto::Graph& message() { return graph_; }

 private:
  std::string fresh(std::string_view stem);
  Value initializer(std::string name, proto::Tensor::DataType type, std::span<const std::int64_t> shape,
                    std::string bytes);

  proto::Graph graph_;
  std::map<std::string, int, std::less<>> num_named_;          // nodes of each operator so far
  std::map<std::vector<std::int64_t>, std::string> integers_;  // constants, each once
};

}  // namespace byteformer::interop::onnx
