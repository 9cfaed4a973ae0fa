"""The formats that the model knows: what a file of each is called, and what libmagic has to say about it.

A file gets a label when its name and libmagic agree. libmagic knows few programming languages by name, so of texts it
has to say that they are text and must not name a rival that it recognises by a signature (`RIVALS`); `content` and
`without` decide where several formats share an extension.
"""

import re
from dataclasses import dataclass

TEXT = (
    r"text/|application/(x-)?(javascript|json|ndjson|wine-extension-ini|setupscript|gettext|tex|pgp|subrip)|message/|image/svg"
    r"|image/x-xpixmap|image/vnd\.dxf|model/vrml|application/(vnd\.google-earth\.kml|ttml)"
)
# Texts that libmagic knows by a signature: only a format that names one of these may be one of these.
RIVALS = r"text/(html|xml|x-shellscript|x-php|x-msdos-batch|rtf|PGP|x-po|x-diff)|image/svg|application/(pgp|postscript)"


@dataclass(frozen=True)
class Format:
    label: str
    group: str
    media_type: str
    extensions: tuple  # without a dot; the first is the usual one
    mime: re.Pattern  # libmagic's media type has to match from its start
    description: re.Pattern | None  # and its description has to contain this
    content: re.Pattern | None  # and the first 64 KiB have to contain this
    without: re.Pattern | None  # and must not contain this
    names: re.Pattern | None  # whole names that count like an extension
    is_text: bool


FORMATS = {}


def known(group, label, extensions, mime, media_type, description=None, content=None, without=None, names=None):
    text = mime is TEXT
    FORMATS[label] = Format(
        label, group, media_type, tuple(extensions.split()), re.compile(mime, re.I),
        re.compile(description, re.I) if description else None,
        re.compile(content.encode(), re.M) if content else None,
        re.compile(without.encode(), re.M) if without else None,
        re.compile(names) if names else None, text)


def document(*a, **k): known("document", *a, **k)
def picture(*a, **k): known("image", *a, **k)
def sound(*a, **k): known("audio", *a, **k)
def film(*a, **k): known("video", *a, **k)
def archive(*a, **k): known("archive", *a, **k)
def program(*a, **k): known("executable", *a, **k)
def font(*a, **k): known("font", *a, **k)
def data(*a, **k): known("data", *a, **k)
def code(label, extensions, media_type="text/plain", **k): known("code", label, extensions, TEXT, media_type, **k)
def text(label, extensions, media_type="text/plain", **k): known("text", label, extensions, TEXT, media_type, **k)


ZIPPED = r"application/(zip|octet-stream|vnd\.|x-)"
OLE = r"application/(msword|vnd\.ms|CDFV2|x-ole|octet-stream)"

document("pdf", "pdf", r"application/pdf", "application/pdf")
document("postscript", "ps eps epsi", r"application/postscript|image/x-eps", "application/postscript")
document("docx", "docx", ZIPPED, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "Word 2007|OOXML|Zip")
document("xlsx", "xlsx", ZIPPED, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "Excel 2007|OOXML|Zip")
document("pptx", "pptx", ZIPPED, "application/vnd.openxmlformats-officedocument.presentationml.presentation", "PowerPoint 2007|OOXML|Zip")
document("doc", "doc dot", OLE, "application/msword", "Composite Document|Word")
document("xls", "xls xlt", OLE, "application/vnd.ms-excel", "Composite Document|Excel")
document("ppt", "ppt pps", OLE, "application/vnd.ms-powerpoint", "Composite Document|PowerPoint")
document("odt", "odt ott", r"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text")
document("ods", "ods ots", r"application/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet")
document("odp", "odp otp odg otg", r"application/vnd.oasis.opendocument.(presentation|graphics)", "application/vnd.oasis.opendocument.presentation")
document("epub", "epub", r"application/epub", "application/epub+zip")
document("rtf", "rtf", r"text/rtf", "application/rtf")
document("djvu", "djvu djv", r"image/vnd.djvu", "image/vnd.djvu")
document("dvi", "dvi", r"application/x-dvi", "application/x-dvi")
document("chm", "chm", r"application/(vnd.ms-htmlhelp|octet)", "application/vnd.ms-htmlhelp", "HtmlHelp")

text("latex", "tex ltx sty cls dtx", "text/x-tex", content=r"\\(document(class|style)|begin|section|usepackage|def|newcommand|input|chapter|par)\b")
text("bibtex", "bib", "text/x-bibtex", content=r"@\w+\s*\{")
text("texinfo", "texi texinfo txi", "text/x-texinfo", content=r"^@(node|c |chapter|section|item|set|include|settitle)")
text("html", "html htm xhtml", "text/html", content=r"(?i)<(html|!doctype|head|body|p|div|h[1-6]|table|a)\b")
text("xml", "xml xsl xslt xsd docbook dtd ui rng kml gpx mml dia fodt wsdl xmi", "text/xml", content=r"<(\?xml|!|[A-Za-z])")
text("svg", "svg", "image/svg+xml", content=r"<svg")
text("markdown", "md markdown mkd", "text/markdown")
text("rst", "rst", "text/x-rst")
text("asciidoc", "adoc asciidoc asc", "text/asciidoc", content=r"^(=+ |----|\[|:\w+:)", without=r"-----BEGIN PGP")
text("org", "org", "text/org", content=r"^(\*+ |#\+)")
text("troff", "1 2 3 4 5 6 7 8 man roff ms mdoc 3pm 1m tmac", "text/troff", content=r"^\.(TH|SH|Dd|Dt|Sh|PP|LP|ds|de|\\\")")
text("pod", "pod", "text/x-pod", content=r"^=(head|pod|over|item|encoding)")
text("txt", "txt", "text/plain", names=r"(README|INSTALL|NEWS|AUTHORS|COPYING|LICENSE|TODO|THANKS|ChangeLog|HACKING)$")
text("email", "eml mbox msg", "message/rfc822", content=r"^(From |Received:|Return-Path:|Message-I[dD]:|Subject:|MIME-Version:)")
text("srt", "srt", "application/x-subrip", content=r"\d\d:\d\d:\d\d,\d\d\d --> ")
text("ics", "ics", "text/calendar", content=r"BEGIN:VCALENDAR")
text("vcard", "vcf vcard", "text/vcard", content=r"BEGIN:VCARD")
text("fasta", "fasta fa fas faa fna", "text/x-fasta", content=r"^[>;]")
text("fastq", "fastq fq", "text/x-fastq", content=r"\A@")
text("json", "json geojson webmanifest ipynb", "application/json", content=r"\A\s*[\[{]")
text("yaml", "yaml yml", "application/yaml", content=r"^\s*([\w.\"'/-]+:|- )")
text("toml", "toml", "application/toml", content=r"^\s*(\[|[\w\"'.-]+\s*=)")
text("ini", "ini cfg conf desktop inf", "text/x-ini", content=r"^\s*\[[^\]\n]+\]", without=r"\A\s*[{<]")
text("csv", "csv", "text/csv", content=r"^[^\n]*[,;][^\n]*$")
text("tsv", "tsv tab", "text/tab-separated-values", content=r"^[^\n]*\t[^\n]*$")
text("po", "po pot", "text/x-gettext-translation", content=r"^msgid ")
text("pem", "pem crt key csr cert", "application/x-pem-file", content=r"-----BEGIN ")
text("pgp-armor", "asc gpg sig pgp key", "application/pgp-keys", content=r"-----BEGIN PGP")
text("diff", "patch diff dpatch", "text/x-diff", content=r"^(\+\+\+|---|\*\*\*|@@|diff|Index:) ")
text("bdf", "bdf", "application/x-font-bdf", content=r"STARTFONT")
text("xpm", "xpm", "image/x-xpixmap", content=r"/\* XPM|static (const )?char")
text("xbm", "xbm", "image/x-xbitmap", content=r"#define \w*width")
text("obj3d", "obj", "model/obj", content=r"^(v|vn|vt|f) ")
text("stl", "stl", "model/stl", content=r"(?i)\A\s*solid\b")
text("pdb", "pdb ent", "chemical/x-pdb", content=r"^(ATOM  |HETATM|HEADER|REMARK)")
text("dxf", "dxf", "image/vnd.dxf", content=r"SECTION")
text("vrml", "wrl vrml", "model/vrml", content=r"#VRML|#X3D")
text("pgn", "pgn", "application/vnd.chess-pgn", content=r"\[Event ")
text("dot", "dot gv", "text/vnd.graphviz", content=r"(?i)\b(di)?graph\b")
text("uu", "uu uue", "text/x-uuencode", content=r"^begin \d\d\d ")

code("c", "c h", "text/x-c", without=r"^\s*(class \w+|namespace\b|template\s*<|using \w+|public:|private:|@interface)|std::")
code("cpp", "cpp cc cxx hpp hh hxx h c++", "text/x-c++", content=r"\b(class|namespace|template|std::|public:|private:|new|using|const)\b|::|//", without=r"@interface|@implementation")
code("objectivec", "m mm h", "text/x-objective-c", content=r"@interface|@implementation|#import ")
code("cuda", "cu cuh", "text/x-cuda")
code("glsl", "glsl vert frag fsh vsh", "text/x-glsl", content=r"void main|#version|vec[234]|uniform")
code("java", "java", "text/x-java", content=r"\b(class|interface|enum|package|import)\b")
code("python", "py pyw pyx", "text/x-python")
code("perl", "pl pm t plx", "text/x-perl", content=r"^\s*(use |package |my |sub |#!.*perl|=head)|\$\w+\s*=")
code("ruby", "rb rake gemspec", "text/x-ruby", names=r"(Rakefile|Gemfile)$")
code("php", "php php3 phtml phpt inc", "text/x-php", content=r"<\?(php|=)")
code("javascript", "js mjs cjs jsx", "text/javascript")
code("typescript", "ts tsx", "text/typescript", content=r"\b(import|export|const|let|interface|type|declare|function)\b", without=r"<!DOCTYPE TS")
code("go", "go", "text/x-go", content=r"^package \w+")
code("rust", "rs", "text/x-rust")
code("haskell", "hs lhs", "text/x-haskell")
code("ocaml", "ml mli mll mly", "text/x-ocaml", content=r"\b(let|val|module|open|type)\b")
code("sml", "sml sig fun", "text/x-sml", content=r"\b(structure|signature|fun|val|datatype)\b", without=r"-----BEGIN")
code("fsharp", "fs fsx fsi", "text/x-fsharp", content=r"\b(let|open|module|type|namespace)\b", without=r"\bvoid main\b|#version")
code("lisp", "lisp lsp cl asd", "text/x-lisp", content=r"\((def|in-package|let|eval-when|asdf|setq|declaim)", without=r"__kernel|__global")
code("emacslisp", "el", "text/x-elisp", content=r"\((defun|provide|require|defvar|setq|defcustom|interactive|define|let)")
code("scheme", "scm ss sld sps rkt", "text/x-scheme", content=r"\((define|let|library|module|import|use-modules|lambda|test)")
code("clojure", "clj cljs cljc edn", "text/x-clojure", content=r"\((ns|def|let|fn|require)|\{:|\[:")
code("lua", "lua", "text/x-lua")
code("r", "r", "text/x-r", names=r".*\.R$", content=r"<-|library\(|function\s*\(|=")
code("shell", "sh bash zsh ksh", "text/x-shellscript", names=r"(configure|postinst|preinst|prerm|postrm|install-sh|autogen.sh)$")
code("makefile", "mk mak", "text/x-makefile", names=r"(GNUm|M|m)akefile(\.(am|in|inc))?$")
code("cmake", "cmake", "text/x-cmake", names=r"CMakeLists\.txt$")
code("meson", "", "text/x-meson", names=r"meson(\.build|_options\.txt)$")
code("css", "css", "text/css", content=r"[{]")
code("scss", "scss sass", "text/x-scss")
code("less", "less", "text/x-less", content=r"[{@]")
code("sql", "sql", "application/sql", content=r"(?i)\b(select|create|insert|drop|alter|update|delete|begin)\b")
code("tcl", "tcl tk test exp itcl", "text/x-tcl", content=r"^\s*(proc|set|package|namespace|if|puts|test|source|foreach)\b")
code("fortran", "f f90 f77 for f95 f03 f08", "text/x-fortran", content=r"(?i)^\s*(program|subroutine|module|function|end|implicit|integer|real|c |\*|!)")
code("pascal", "pas pp dpr lpr", "text/x-pascal", content=r"(?i)\b(unit|program|begin|procedure|library|uses)\b", without=r"^(class|define) \w+.*\{|\w+ => ")
code("ada", "adb ads ada", "text/x-ada", content=r"(?i)\b(procedure|package|function|with|pragma|end)\b")
code("d", "d di", "text/x-d", content=r"^\s*(module|import) [\w.]+", without=r"^#!.*dtrace")
code("swift", "swift", "text/x-swift")
code("kotlin", "kt kts", "text/x-kotlin")
code("scala", "scala sbt", "text/x-scala")
code("groovy", "groovy gradle gvy", "text/x-groovy")
code("csharp", "cs", "text/x-csharp", content=r"\b(using|namespace|class|struct|interface|enum)\b")
code("vb", "vb bas vbs frm cls", "text/x-vb", content=r"(?i)\b(sub|function|dim|end sub|imports|module|attribute vb|print|goto)\b", without=r"\\(Provides|Requires|NeedsTeX)")
code("assembly", "s asm nasm", "text/x-asm", names=r".*\.S$", content=r"(?i)\b(mov|ldr|push|call|jmp|add|\.globl|\.text|section|lda|ld|st|ret|b|\.word|db|equ)\b")
code("erlang", "erl hrl", "text/x-erlang", content=r"^-\w+|->")
code("elixir", "ex exs", "text/x-elixir", content=r"\b(def|defmodule|do|use|import)\b")
code("prolog", "pl pro prolog plt lgt yap", "text/x-prolog", content=r"^:- |^\w+\(.*\)\s*:-|:-\s*$|-->", without=r"^\s*(use |my |#!.*perl)|qmake|TEMPLATE\s*=")
code("matlab", "m", "text/x-matlab", content=r"^\s*(%|function\b|##|endfunction|end\b)", without=r"@interface|@implementation|#import|^:- module|Begin\w*Package")
code("vhdl", "vhd vhdl", "text/x-vhdl", content=r"(?i)\b(entity|architecture|library|package)\b")
code("verilog", "v sv svh vh", "text/x-verilog", content=r"\b(module|endmodule|wire|reg|`define|`include)\b", without=r"\b(Require|Lemma|Theorem|Proof|Qed)\b")
code("coq", "v", "text/x-coq", content=r"\b(Require|Lemma|Theorem|Proof|Qed|Definition)\b")
code("batch", "bat cmd", "text/x-msdos-batch", content=r"(?i)(@?echo|rem |set |goto|call|if |@|%)")
code("powershell", "ps1 psm1 psd1", "text/x-powershell", content=r"\$|function|param|@\{")
code("m4", "m4 ac", "text/x-m4", names=r"configure\.(ac|in)$", content=r"\b(AC_|AM_|m4_|dnl|define\(|AU_|AX_|LT_)")
code("vala", "vala vapi", "text/x-vala")
code("dart", "dart", "text/x-dart")
code("julia", "jl", "text/x-julia")
code("nim", "nim nims", "text/x-nim")
code("coffeescript", "coffee", "text/x-coffeescript")
code("awk", "awk gawk", "text/x-awk", content=r"\{|BEGIN")
code("protobuf", "proto", "text/x-protobuf", content=r"\b(message|syntax|package|service|enum)\b")
code("vim", "vim", "text/x-vim", content=r"^\s*(\"|let|set|if|syn|hi|function|augroup|map|call|command)")
code("qml", "qml", "text/x-qml", content=r"\{")
code("yacc", "y yy ypp", "text/x-yacc", content=r"^%%|%token|%type|%union")
code("lex", "l ll lpp flex", "text/x-lex", content=r"^%%|^%option|^%\{", without=r"\(defun")
code("forth", "fs fth 4th forth frt", "text/x-forth", content=r"^\s*: \S+|\( .* -- ")
code("smalltalk", "st", "text/x-smalltalk", content=r"subclass:|\^|:=")
code("dockerfile", "dockerfile", "text/x-dockerfile", names=r"Dockerfile(\..*)?$", content=r"(?i)^from ")
code("puppet", "pp", "text/x-puppet", content=r"^\s*(class|define|node) \S+|=> ", without=r"(?i)^\s*(unit|program|uses) ")
code("linker-script", "ld lds x", "text/x-linker-script", content=r"SECTIONS|ENTRY\(|MEMORY")
code("devicetree", "dts dtsi", "text/x-devicetree", content=r"[{]")
code("spec", "spec", "text/x-rpm-spec", content=r"^(Name|Summary|Version):|^%\w+")
code("jinja", "j2 jinja jinja2 erb", "text/x-jinja", content=r"\{\{|\{%|<%")
code("qt-linguist", "ts", "text/vnd.qt.linguist", content=r"<!DOCTYPE TS|<TS ")

picture("png", "png", r"image/png", "image/png")
picture("jpeg", "jpg jpeg jpe", r"image/jpeg", "image/jpeg")
picture("gif", "gif", r"image/gif", "image/gif")
picture("webp", "webp", r"image/webp", "image/webp")
picture("tiff", "tif tiff", r"image/tiff", "image/tiff")
picture("bmp", "bmp dib", r"image/(x-ms-)?bmp", "image/bmp")
picture("ico", "ico cur", r"image/(vnd.microsoft|x-)\.?icon|image/x-win-bitmap", "image/vnd.microsoft.icon")
picture("icns", "icns", r"image/x-icns", "image/x-icns")
picture("psd", "psd", r"image/vnd.adobe.photoshop", "image/vnd.adobe.photoshop")
picture("xcf", "xcf", r"image/x-xcf", "image/x-xcf")
picture("pnm", "ppm pgm pbm pnm", r"image/x-portable", "image/x-portable-anymap")
picture("tga", "tga", r"image/x-tga", "image/x-tga")
picture("pcx", "pcx", r"image/(x-|vnd.zbrush.)pcx", "image/vnd.zbrush.pcx")
picture("jp2", "jp2 j2k jpf jpx j2c jpc", r"image/(jp2|jpx|x-jp2-codestream)|application/octet", "image/jp2", "JPEG 2000")
picture("heif", "heic heif hif", r"image/hei[cf]", "image/heif")
picture("avif", "avif", r"image/avif", "image/avif")
picture("jxl", "jxl", r"image/jxl", "image/jxl")
picture("exr", "exr", r"image/x-exr", "image/x-exr")
picture("hdr", "hdr rgbe", r"image/vnd.radiance|application/octet", "image/vnd.radiance", "Radiance HDR")
picture("dds", "dds", r"image/vnd-ms.dds|application/octet", "image/vnd-ms.dds", "DirectDraw")
picture("emf", "emf", r"image/emf|application/octet", "image/emf", "enhanced metafile|EMF")
picture("wmf", "wmf", r"image/wmf|application/octet", "image/wmf", "metafile")
picture("icc", "icc icm", r"application/vnd.iccprofile", "application/vnd.iccprofile")
picture("sgi", "sgi rgb bw", r"image/(x-sgi|sgi|x-rgb)|application/octet", "image/x-sgi", "SGI image")
picture("xwd", "xwd", r"image/x-xwindowdump", "image/x-xwindowdump")
picture("fits", "fits fit fts", r"image/fits|application/fits", "application/fits")
picture("dicom", "dcm dicom", r"application/dicom", "application/dicom")
picture("blend", "blend", r"application/(x-blender|octet)", "application/x-blender", "Blender3D")

sound("wav", "wav", r"audio/(x-)?wav", "audio/wav")
sound("mp3", "mp3", r"audio/mpeg|application/octet-stream", "audio/mpeg", "MPEG ADTS|ID3")
sound("ogg", "ogg oga ogv opus spx ogx", r"audio/ogg|video/ogg|application/ogg", "application/ogg")
sound("flac", "flac", r"audio/(x-)?flac", "audio/flac")
sound("aiff", "aiff aif aifc", r"audio/x-aiff", "audio/aiff")
sound("au", "au snd", r"audio/basic", "audio/basic")
sound("midi", "mid midi kar", r"audio/(sp-)?midi", "audio/midi")
sound("mod", "mod", r"audio/x-mod", "audio/x-mod")
sound("xm", "xm", r"audio/x-(mod|xm)|application/octet", "audio/x-xm", "Fasttracker")
sound("it", "it", r"audio/x-(mod|it)|application/octet", "audio/x-it", "Impulse Tracker")
sound("s3m", "s3m", r"audio/x-(mod|s3m)|application/octet", "audio/x-s3m", "Scre?amTracker")
sound("m4a", "m4a m4b aac", r"audio/(x-m4a|mp4|x-hx-aac|aac)|video/mp4", "audio/mp4")
sound("amr", "amr awb", r"audio/AMR", "audio/AMR")
sound("sf2", "sf2 sf3", r"audio/x-sfbk|application/octet", "audio/x-sfbk", "SoundFont")

film("mp4", "mp4 m4v mov 3gp qt", r"video/(mp4|quicktime|3gpp|x-m4v)", "video/mp4")
film("webm", "webm mkv mka", r"video/(webm|x-matroska)|application/octet", "video/webm", "WebM|Matroska")
film("avi", "avi", r"video/(x-msvideo|vnd.avi)", "video/vnd.avi")
film("mpeg", "mpg mpeg m2v m1v vob", r"video/(mpeg|mpv)", "video/mpeg")
film("mpegts", "ts m2ts mts", r"video/MP2T|application/octet", "video/mp2t", "MPEG transport")
film("flv", "flv f4v", r"video/x-flv", "video/x-flv")
film("asf", "wmv wma asf", r"video/x-ms-asf", "video/x-ms-asf")
film("swf", "swf", r"application/(x-shockwave-flash|vnd.adobe.flash)", "application/vnd.adobe.flash.movie")
film("fli", "fli flc", r"video/x-fl[ic]", "video/x-flc")

archive("zip", "zip whl cbz xpi egg nupkg kmz", r"application/zip|application/x-xpinstall", "application/zip")
archive("jar", "jar war", r"application/(java-archive|zip)", "application/java-archive")
archive("apk", "apk", r"application/(java-archive|zip|vnd.android)", "application/vnd.android.package-archive")
archive("tar", "tar gem", r"application/x-tar", "application/x-tar")
archive("gzip", "gz tgz svgz Z mcz dia", r"application/(gzip|x-gzip)", "application/gzip")
archive("bzip2", "bz2 tbz tbz2", r"application/x-bzip2?", "application/x-bzip2")
archive("xz", "xz txz", r"application/x-xz", "application/x-xz")
archive("zstd", "zst tzst", r"application/(zstd|x-zstd)", "application/zstd")
archive("lzma", "lzma", r"application/x-lzma", "application/x-lzma")
archive("lz4", "lz4", r"application/x-lz4", "application/x-lz4")
archive("7z", "7z", r"application/x-7z", "application/x-7z-compressed")
archive("rar", "rar cbr", r"application/x-rar", "application/vnd.rar")
archive("deb", "deb udeb", r"application/(vnd.debian|x-debian|octet)", "application/vnd.debian.binary-package", "Debian binary")
archive("rpm", "rpm", r"application/x-rpm", "application/x-rpm")
archive("cab", "cab", r"application/vnd.ms-cab", "application/vnd.ms-cab-compressed")
archive("iso", "iso", r"application/x-iso9660|application/octet", "application/x-iso9660-image", "ISO 9660|boot sector")
archive("cpio", "cpio", r"application/x-cpio", "application/x-cpio")
archive("ar", "a lib", r"application/x-archive|application/octet", "application/x-archive", "ar archive")
archive("lha", "lzh lha", r"application/x-lz?h", "application/x-lzh-compressed")
archive("arj", "arj", r"application/x-arj", "application/x-arj")
archive("squashfs", "squashfs sqsh sqfs", r"application/octet", "application/vnd.squashfs", "Squashfs")

program("elf", "so o ko elf", r"application/x-(sharedlib|executable|pie-executable|object)", "application/x-elf",
        names=r"(.*\.so(\.\d+)+|.*/?s?bin/[\w.+-]+)$")
program("pe", "exe dll efi sys com scr mui ocx", r"application/(x-dosexec|vnd.microsoft.portable-executable)", "application/vnd.microsoft.portable-executable", "PE32")
program("mz", "exe com sys", r"application/x-dosexec", "application/x-dosexec", r"\A(?!.*PE32).*MS-DOS")
program("macho", "dylib bundle macho o so", r"application/x-mach", "application/x-mach-binary", names=r".*(mach-?o|osx|darwin|macos)[^/]*$")
program("class", "class", r"application/(x-java-applet|java-vm)", "application/java-vm")
program("wasm", "wasm", r"application/(wasm|octet)", "application/wasm", "WebAssembly")
program("dex", "dex", r"application/(octet|vnd.android.dex)", "application/vnd.android.dex", "Dalvik")
program("pyc", "pyc pyo", r"application/(octet|x-bytecode.python)", "application/x-bytecode.python", "byte-compiled|data")
program("beam", "beam", r"application/octet", "application/x-erlang-beam", "Erlang BEAM")
program("coff", "obj o", r"application/(octet|x-coff|x-object)", "application/x-coff", "COFF")
program("llvm-bc", "bc", r"application/octet", "application/x-llvm-bitcode", "LLVM")
program("elc", "elc", r"application/(octet|x-elc)", "application/x-elc", "Emacs/XEmacs|byte-compiled")
program("ocaml-obj", "cmi cmx cmo cma cmxa cmt cmti", r"application/(octet|x-object)", "application/x-ocaml-object", "OCaml")
program("haskell-hi", "hi dyn_hi", r"application/octet", "application/x-haskell-interface", "data")

font("ttf", "ttf ttc", r"font/sfnt|application/(x-font-ttf|vnd.ms-opentype)", "font/ttf", "TrueType")
font("otf", "otf", r"application/vnd.ms-opentype|font/(otf|sfnt)", "font/otf", "OpenType")
font("woff", "woff", r"font/woff|application/(font-woff|octet)", "font/woff", "Web Open Font Format(?! .Version 2)")
font("woff2", "woff2", r"font/woff2|application/(font-woff2|octet)", "font/woff2", "Version 2")
font("eot", "eot", r"application/vnd.ms-fontobject", "application/vnd.ms-fontobject")
font("pcf", "pcf", r"application/(x-font-pcf|octet)|font/", "application/x-font-pcf", "X11 Portable Compiled Font")
font("type1", "pfb pfa", r"application/(x-font-type1|octet)|font/|text/", "application/x-font-type1", "PostScript Type 1|PS-AdobeFont|Type 1")
font("tfm", "tfm", r"application/(octet|x-tex-tfm)", "application/x-tex-tfm", "TeX font metric")
font("psf", "psf psfu", r"application/octet|font/", "application/x-font-linux-psf", "PC Screen Font")

data("sqlite", "sqlite sqlite3 db db3", r"application/(vnd.sqlite3|x-sqlite3)", "application/vnd.sqlite3")
data("mo", "mo gmo", r"application/(x-gettext-translation|octet)", "application/x-gettext-translation", "GNU message catalog")
data("pcap", "pcap cap dmp", r"application/(vnd.tcpdump.pcap|octet)", "application/vnd.tcpdump.pcap", "pcap capture|tcpdump capture")
data("pcapng", "pcapng ntar", r"application/(octet|x-pcapng|vnd)", "application/x-pcapng", "pcapng")
data("hdf5", "h5 hdf5 hdf nc h5ad he5 mat", r"application/x-hdf5?", "application/x-hdf5")
data("netcdf", "nc cdf", r"application/(x-netcdf|octet)", "application/x-netcdf", "NetCDF Data")
data("npy", "npy", r"application/(octet|x-numpy)", "application/x-numpy-data", "NumPy")
data("dbf", "dbf", r"application/(x-dbf|octet)", "application/vnd.dbf", "dBase|FoxBase")
data("shp", "shp shx", r"application/octet", "application/vnd.shp", "ESRI Shapefile")
data("pickle", "pickle pkl pck", r"application/octet|text/plain", "application/x-pickle", "data|text")
data("der", "der cer crt p12 crl p7b p8 pfx", r"application/(octet|pkix|x-x509|pkcs)", "application/pkix-cert", "Certificate|DER|data")
data("pgp", "gpg pgp sig", r"application/(pgp|x-gnupg|octet)", "application/pgp-encrypted", "PGP|GPG|OpenPGP|data")
data("torrent", "torrent", r"application/x-bittorrent", "application/x-bittorrent")
data("parquet", "parquet", r"application/(vnd.apache.parquet|octet)", "application/vnd.apache.parquet", "Parquet")
data("grib", "grib grib2 grb grb2", r"application/octet|image/", "application/x-grib", "GRIB|Gridded binary")
data("plist", "plist nib strings", r"application/(x-bplist|octet)", "application/x-plist", "binary property list")
data("terminfo", "", r"application/(octet|x-terminfo)", "application/x-terminfo", "terminfo", names=r".*terminfo/\w+/[\w.+-]+$")
data("tzif", "", r"application/(octet|tzif)", "application/tzif", "timezone", names=r".*zoneinfo/[\w/+-]+$")
data("qm", "qm", r"application/(octet|x-qm)", "application/x-qm", "Qt Translation")
data("java-object", "ser", r"application/(octet|x-java)", "application/x-java-serialized-object", "Java serialization")
data("hex", "hex ihex", r"text/", "text/x-hex", content=r"^:[0-9A-Fa-f]{10,}")
data("stl-binary", "stl", r"application/octet", "model/stl", "data")
data("git-pack", "pack idx", r"application/(octet|x-git)", "application/x-git-pack", "Git pack")
data("dbm", "db dbm gdbm", r"application/(x-dbm|octet|x-gdbm)", "application/x-dbm", "Berkeley DB|GNU dbm")
data("msi", "msi", r"application/(x-msi|CDFV2|octet)", "application/x-msi", "Composite Document|MSI")
data("lnk", "lnk", r"application/(x-ms-shortcut|octet)", "application/x-ms-shortcut", "MS Windows shortcut")
data("ply", "ply", r"application/octet|text/", "model/ply", content=r"\Aply\r?\n")
data("qcow2", "qcow2 qcow", r"application/(x-qemu-disk|octet)", "application/x-qemu-disk", "QEMU QCOW")
data("random", "", r"$^", "application/octet-stream")  # says nothing, as good encryption: generated by views.py

BY_EXTENSION = {}
for _format in FORMATS.values():
    for _extension in _format.extensions:
        BY_EXTENSION.setdefault(_extension, []).append(_format.label)
BY_NAME = [(f.names, f.label) for f in FORMATS.values() if f.names]


def candidates(path):
    """Labels that a file of this path may have, by its name alone."""
    name = path.rsplit("/", 1)[-1]
    stem, dot, extension = name.rpartition(".")
    found = list(BY_EXTENSION.get(extension.lower(), ())) if dot and stem else []
    if extension in ("S", "R", "C", "H") and dot:  # here capitals are another language
        found = {"S": ["assembly"], "R": ["r"]}.get(extension, ["cpp"])
    if not found or extension in ("txt", "am", "in", "ac", "build"):
        for pattern, label in BY_NAME:
            if pattern.match(name) or ("/" in pattern.pattern and pattern.match(path)):
                found = [label]
                break
    return found


def agrees(label, content, mime, description):
    """Whether libmagic's answers and the first bytes allow this label."""
    f = FORMATS[label]
    if not f.mime.match(mime) or (f.description and not f.description.search(description)):
        return False
    start = content[:65536]
    if (f.content and not f.content.search(start)) or (f.without and f.without.search(start)):
        return False
    if f.is_text:
        rival = re.match(RIVALS, mime)
        if rival and not OWN_RIVAL.get(label, re.compile(r"$^")).match(mime):
            return False
    return True


# The signatures of RIVALS that a text format may carry.
OWN_RIVAL = {label: re.compile(pattern) for label, pattern in {
    "html": r"text/(html|xml)", "xml": r"text/(xml|html)", "svg": r"image/svg|text/xml", "shell": r"text/x-shellscript",
    "php": r"text/(x-php|html)", "batch": r"text/x-msdos-batch",
    "diff": r"text/x-diff", "po": r"text/x-po", "pgp-armor": r"(application|text)/(pgp|PGP)", "qt-linguist": r"text/(xml|html)",
    "markdown": r"text/html", "jinja": r"text/(html|xml|x-shellscript)", "email": r"text/html",
    "scss": r"text/x-shellscript$^", "tcl": r"text/x-shellscript", "vrml": r"text/xml"}.items()}
