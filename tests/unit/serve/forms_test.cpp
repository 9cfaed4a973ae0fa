// Addresses, multipart, base64, packed bodies and proxies' words: what is read of them, and what is refused.
#include "serve/forms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <string>
#include <vector>

namespace byteformer::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::uint8_t> bytes_of(std::string_view text) { return {text.begin(), text.end()}; }
std::string text_of(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

template <typename Action>
int refused(const Action& action) {
  try {
    action();
  } catch (const Refusal& refusal) {
    EXPECT_FALSE(refusal.message.empty());
    return refusal.status;
  }
  return 0;
}

TEST(Forms, TargetHasPartsAndParameters) {
  const Target target = parse_target("/v2/models/a%20b?top_k=3&name=x%2Fy+z&logits");
  EXPECT_THAT(target.path, ElementsAre("v2", "models", "a b"));
  EXPECT_EQ(*target.find("name"), "x/y z");
  EXPECT_EQ(target.number("top_k", 1, 5), 3);
  EXPECT_EQ(target.number("absent", 1, 5), std::nullopt);
  EXPECT_TRUE(target.flag("logits"));
  EXPECT_FALSE(target.flag("features"));
  EXPECT_THAT(parse_target("/").path, ElementsAre(""));
  EXPECT_THAT(parse_target("/a//b?").path, ElementsAre("a", "", "b"));
  EXPECT_THAT(parse_target("*").path, IsEmpty());
  EXPECT_THAT(parse_target("http://host:80/a/b?c=1").path, ElementsAre("a", "b"));
  for (const char* text : {"HTTPS://host?c=1", "http://host/?c=1"}) {
    EXPECT_THAT(parse_target(text).path, ElementsAre("")) << text;
    EXPECT_EQ(*parse_target(text).find("c"), "1") << text;
  }
}

TEST(Forms, TargetIsRefused) {
  for (const char* text : {"", "x", "*x", "ftp://host/", "/%", "/%1", "/%zz", "/%00", "/?a=%00"})
    EXPECT_EQ(refused([&] { parse_target(text); }), 400) << text;
  const Target target = parse_target("/?a=0&b=6&c=1x&d=&e=2");
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_EQ(refused([&] { target.number(name, 1, 5); }), 400) << name;
  EXPECT_EQ(refused([&] { target.flag("e"); }), 400);
  const Target twice = parse_target("/?a=1&a=1&b=1");
  EXPECT_EQ(refused([&] { twice.flag("a"); }), 400);
  EXPECT_TRUE(twice.flag("b")) << "what nobody asks for may stand as often as it likes";
}

TEST(Forms, MediaTypeAndItsParameter) {
  EXPECT_EQ(media_type_of("Multipart/Form-Data ; boundary=x"), "multipart/form-data");
  EXPECT_EQ(media_type_of("application/x-ndjson"), "application/x-ndjson");
  EXPECT_EQ(media_type_of("multipart/form-data2"), "multipart/form-data2");
  EXPECT_EQ(media_type_parameter("multipart/form-data; boundary=ab", "boundary"), "ab");
  EXPECT_EQ(media_type_parameter("x; a=\"1;boundary=2\"; Boundary=\"q\\\"r\"", "boundary"), "q\"r");
  EXPECT_EQ(media_type_parameter("x; a=b", "boundary"), std::nullopt);
  EXPECT_EQ(media_type_parameter("x; boundary=\"never closed", "boundary"), std::nullopt);
}

TEST(Forms, MultipartHoldsItsParts) {
  const auto body = bytes_of(
      "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"one\"; filename=\"a.png\"\r\nX: y\r\n\r\nfirst\r\n--"
      "b  \r\n\r\n\r\n--b\r\ncontent-disposition: form-data; name=three\r\n\r\n-- b is no end\r\n--b--\r\nepilogue");
  const std::vector<Part> parts = parse_multipart(body, "b", 3);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].name, "one");
  EXPECT_EQ(parts[0].file_name, "a.png");
  EXPECT_EQ(text_of(parts[0].bytes), "first");
  EXPECT_THAT(parts[1].bytes, IsEmpty());
  EXPECT_EQ(parts[2].name, "three");
  EXPECT_EQ(text_of(parts[2].bytes), "-- b is no end");
  EXPECT_THAT(parse_multipart(bytes_of("--b--"), "b", 3), IsEmpty());
}

TEST(Forms, MultipartIsRefused) {
  const char* const cases[] = {"",
                               "x",
                               "--b",
                               "--b\r\n",
                               "--bx\r\n",
                               "--b\r\n\r\nno end",
                               "--b\r\nno colon\r\n\r\nx\r\n--b--",
                               "--b\r\nA: b\r\nno empty line\r\n--b--"};
  for (const char* body : cases) EXPECT_EQ(refused([&] { parse_multipart(bytes_of(body), "b", 9); }), 400) << body;
  EXPECT_EQ(refused([&] { parse_multipart(bytes_of("--b--"), "", 9); }), 400);
  EXPECT_EQ(refused([&] { parse_multipart(bytes_of("--b\r\n\r\n\r\n--b\r\n\r\n\r\n--b--"), "b", 1); }), 400);
}

TEST(Forms, Base64IsStrict) {
  EXPECT_EQ(text_of(decode_base64("aGVsbG8=")), "hello");
  EXPECT_EQ(text_of(decode_base64("aGVsbG9v")), "helloo");
  EXPECT_EQ(text_of(decode_base64("aA==")), "h");
  EXPECT_EQ(decode_base64("//79"), (std::vector<std::uint8_t>{0xff, 0xfe, 0xfd}));
  EXPECT_THAT(decode_base64(""), IsEmpty());
  for (const char* text : {"a", "aA=", "aA", "a===", "aA=A", "aGV sbG8", "aGVs\n", "-_-_"})
    EXPECT_EQ(refused([&] { decode_base64(text); }), 400) << text;
}

constexpr const char* kCodings[] = {"gzip", "deflate"};

std::vector<std::uint8_t> packed(std::string_view coding, std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + (coding == "gzip" ? 16 : 0), 8, Z_DEFAULT_STRATEGY);
  std::vector<std::uint8_t> out(text.size() + 100);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// What comes of packed bytes that arrive `step` at a time.
std::string unpacked(std::string_view coding, std::span<const std::uint8_t> bytes, std::size_t step) {
  Unpacker unpacker(coding, [&](std::span<std::uint8_t> out) {
    const std::size_t size = std::min({step, out.size(), bytes.size()});
    std::copy_n(bytes.begin(), size, out.begin());
    bytes = bytes.subspan(size);
    return size;
  });
  std::string text;
  std::vector<std::uint8_t> buffer(7);
  while (const std::size_t size = unpacker.read(buffer))
    text.append(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
  return text;
}

TEST(Forms, PackedBodiesAreUnpackedInPieces) {
  const std::string text(1000, 'x');
  for (const char* coding : kCodings) {
    const auto whole = packed(coding, text);
    for (const std::size_t step : {1, 10, 10'000}) EXPECT_EQ(unpacked(coding, whole, step), text);
    EXPECT_EQ(refused([&] { unpacked(coding, std::span(whole).first(whole.size() - 1), 100); }), 400);
    auto longer = whole;
    longer.push_back(0);
    for (const std::size_t step : {1, 10'000}) EXPECT_EQ(refused([&] { unpacked(coding, longer, step); }), 400);
    EXPECT_EQ(refused([&] { unpacked(coding, bytes_of("nothing packed at all"), 100); }), 400);
  }
  EXPECT_EQ(refused([&] { unpacked("gzip", packed("deflate", text), 100); }), 400);
  EXPECT_EQ(refused([&] { unpacked("br", packed("gzip", text), 100); }), 415);
}

TEST(Forms, CodingsHaveNoCase) {
  const auto whole = packed("gzip", "x");
  const auto one = [](const char* value) { return coding_of({{"content-encoding", value}}); };
  for (const char* coding : {"GZIP", "x-gzip", " X-GZip "}) EXPECT_EQ(unpacked(one(coding), whole, 100), "x") << coding;
  EXPECT_EQ(unpacked(one("Deflate"), packed("deflate", "x"), 100), "x");
  for (const char* coding : {"", " ", "identity", "Identity", "identity, ,"}) EXPECT_EQ(one(coding), "") << coding;
}

TEST(Forms, LinesOfContentEncodingAreOneList) {
  EXPECT_EQ(coding_of({{"content-encoding", "identity"}, {"host", "gzip"}, {"content-encoding", "gzip"}}), "gzip");
  EXPECT_EQ(coding_of({{"content-encoding", "gzip"}, {"content-encoding", "Gzip"}}), "gzip,gzip");
  EXPECT_EQ(refused([] { unpacked("gzip,gzip", packed("gzip", "x"), 100); }), 415);
}

TEST(Forms, GzipMayHaveSeveralMembers) {
  const std::string text(1000, 'x');
  std::vector<std::uint8_t> members;
  for (const std::string_view part : {std::string_view(text), std::string_view(), std::string_view("end")}) {
    const auto member = packed("gzip", part);
    members.insert(members.end(), member.begin(), member.end());
  }
  for (const std::size_t step : {1, 10, 10'000}) {
    EXPECT_EQ(unpacked("gzip", members, step), text + "end");
    EXPECT_EQ(refused([&] { unpacked("gzip", std::span(members).first(members.size() - 1), step); }), 400);
  }
  const auto once = packed("deflate", text);
  auto twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  EXPECT_EQ(refused([&] { unpacked("deflate", twice, 100); }), 400);
}

TEST(Forms, BearerHasNoCase) {
  for (const char* value : {"Bearer KEY", "bearer KEY", "BEARER  KEY "}) EXPECT_EQ(bearer_key(value), "KEY") << value;
  for (const char* value : {"", "Bearer", "Bearer ", "BearerKEY", "Basic KEY"}) EXPECT_EQ(bearer_key(value), "") << value;
}

TEST(Forms, ForwardedAddressIsTheLast) {
  const auto of = [](std::string_view field, std::string_view value) {
    return forwarded_address(field, value).value_or("none");
  };
  EXPECT_EQ(of("x-forwarded-for", "192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(of("x-forwarded-for", "evil, 203.0.113.9 ,\t192.0.2.1:4711 "), "192.0.2.1");
  EXPECT_EQ(of("x-forwarded-for", "2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(of("x-forwarded-for", "[2001:db8::1]:80"), "2001:db8::1");
  EXPECT_EQ(of("forwarded", "for=203.0.113.9, For=\"[2001:db8::1]:80\";proto=https"), "2001:db8::1");
  EXPECT_EQ(of("forwarded", "proto=https;for=192.0.2.1;by=203.0.113.9"), "192.0.2.1");
  EXPECT_EQ(of("forwarded", R"(for=192.0.2.1; host="a,for=203.0.113.9;x=")"), "192.0.2.1");
  EXPECT_EQ(of("forwarded", R"(for=203.0.113.9, host="\",b" ; for=192.0.2.1)"), "192.0.2.1");
  // Quotes that a client opened and the proxy's own words closed: whose words are whose nobody can tell.
  EXPECT_EQ(of("forwarded", R"(for=", for=192.0.2.1;host=",for=203.0.113.9;x=")"), "none");
  EXPECT_EQ(of("forwarded", R"(for=", for=192.0.2.1;host=",for=203.0.113.9;x=\"")"), "none");
  for (const char* value : {"", ",", "192.0.2.1,", "unknown", "192.0.2", "[", "[]", "::1]", "192.0.2.1:a:b"})
    EXPECT_EQ(of("x-forwarded-for", value), "none") << value;
  for (const char* value : {"", "192.0.2.1", "for=unknown", "for=_hidden", "by=192.0.2.1", "for=\"[2001:db8::1]"})
    EXPECT_EQ(of("forwarded", value), "none") << value;
}

}  // namespace
}  // namespace byteformer::serve
