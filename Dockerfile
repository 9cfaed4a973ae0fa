# The command with the models that ship, from Debian's packages alone:
#   docker build -t byteformer .
#   docker run --rm -v "$PWD:/data:ro" byteformer classify -r .
FROM debian:12-slim AS build
WORKDIR /source
COPY . .
RUN ./scripts/install_dependencies.sh serve
RUN cmake --preset release -DBYTEFORMER_BUILD_TRAINER=OFF && cmake --build --preset release --target bin/byteformer byteformer_c
RUN mkdir -p /image/bin /image/lib/byteformer /image/share/byteformer && cp build/release/bin/byteformer /image/bin/ && cp build/release/lib/byteformer/*.so /image/lib/byteformer/ && cp -r models recipes /image/share/byteformer/ && strip /image/bin/byteformer /image/lib/byteformer/*.so

# Tar archives (--tar) need libarchive13 besides, which brings 40 MB of ICU: install it in an image of your own.
FROM debian:12-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libfmt9 libgif7 libjpeg62-turbo libmp3lame0 libmpg123-0 libpng16-16 libprotobuf-lite32 libsndfile1 libsoxr0 libssl3 libtiff6 libutf8proc2 libwebp7 libwebpdemux2 libyaml-cpp0.7 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* && useradd --no-create-home --shell /usr/sbin/nologin byteformer
COPY --from=build /image /usr
USER byteformer
WORKDIR /data
ENTRYPOINT ["byteformer"]
CMD ["--help"]
