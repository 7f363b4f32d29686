# cmake -DOUTPUT=... -DINPUTS="a.py;b.so" -P: a source whose assembler takes each file in as it is.
set(assembly "")
set(declarations "")
set(rows "")
set(index 0)
foreach(path ${INPUTS})
  get_filename_component(name ${path} NAME)
  set(symbol stele_sandbox_file_${index})
  string(APPEND assembly "    \".globl ${symbol}, ${symbol}_end\\n${symbol}:\\n.incbin \\\"${path}\\\"\\n${symbol}_end:\\n\"\n")
  string(APPEND declarations "extern const char ${symbol}[];\nextern const char ${symbol}_end[];\n")
  string(APPEND rows "        {\"${name}\", std::string_view(${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol}))},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUTPUT} "#include \"tools/sandbox/embedded_files.hpp\"

extern \"C\" {
${declarations}}

__asm__(
    \".pushsection .rodata\\n\"
${assembly}    \".popsection\\n\");

namespace stele::tools {

std::span<const EmbeddedFile> embedded_files() {
    static const EmbeddedFile files[] = {
${rows}    };
    return files;
}

}  // namespace stele::tools
")
