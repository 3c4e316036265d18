"""Compiles the benchmark library with the peers that are there, and calls it through ctypes."""
import ctypes
import glob
import os
import re
import shlex
import subprocess
import sys
import sysconfig

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
POSIX = ['-D_DEFAULT_SOURCE', '-D_FILE_OFFSET_BITS=64']
WARN = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Wshadow', '-Wundef']

# name, header, library.  Blosc2 comes from the Python package, which carries both; see below.
PEERS = [('ZSTD', 'zstd.h', 'zstd'), ('LZ4', 'lz4.h', 'lz4'), ('ZLIB', 'zlib.h', 'z'),
         ('BZIP2', 'bzlib.h', 'bz2'), ('LZMA', 'lzma.h', 'lzma'), ('ZFP', 'zfp.h', 'zfp'),
         ('FPZIP', 'fpzip.h', 'fpzip'), ('BLOSC2', 'blosc2.h', 'blosc2')]

# enum wcodec_dtype, and bytes an element: 1 for packed ones, which are counted in bytes.
DTYPES = {'BF16': (15, 2), 'F16': (14, 2), 'F32': (18, 4), 'F8_E4M3': (8, 1), 'I8': (6, 1), 'I4': (23, 1)}

# WCODEC_CPU_ bits; CLMUL and VCLMUL go with every kernel but the scalar one.
SSE41, AVX2, AVX512, NEON, CLMUL, VCLMUL = 1, 2, 4, 8, 16, 32
KERNELS = [('scalar', 0, 0), ('sse4.1', SSE41, SSE41 | CLMUL), ('avx2', AVX2, SSE41 | AVX2 | CLMUL),
           ('avx512', AVX512, SSE41 | AVX2 | AVX512 | CLMUL | VCLMUL), ('neon', NEON, NEON | CLMUL)]


class Setup(ctypes.Structure):
    """bench_setup of bench.h."""
    _fields_ = [('src', ctypes.c_void_p), ('out', ctypes.c_void_p), ('size', ctypes.c_size_t),
                ('block', ctypes.c_size_t), ('rows', ctypes.c_void_p), ('row', ctypes.c_void_p),
                ('tensors', ctypes.c_size_t), ('width', ctypes.c_size_t), ('dtype', ctypes.c_int),
                ('typesize', ctypes.c_uint), ('level', ctypes.c_int), ('filter', ctypes.c_int),
                ('threads', ctypes.c_uint), ('cpu_off', ctypes.c_uint), ('no_crc', ctypes.c_int)]


def blosc2_folder():
    """Where the wheel of Blosc2 has its include and lib folders, or None."""
    found = glob.glob(os.path.join(sysconfig.get_paths()['purelib'], 'blosc2', 'lib', 'libblosc2.so'))
    return os.path.dirname(os.path.dirname(found[0])) if found else None


def compiler():
    return shlex.split(os.environ.get('CC') or 'cc')


def probe(header, library, flags):
    """Whether a program that uses the header links with the library."""
    program = '#include <stdio.h>\n#include <%s>\nint main(void) { return 0; }\n' % header
    command = compiler() + ['-x', 'c', '-', '-o', os.devnull] + flags + ['-l' + library]
    return subprocess.run(command, input=program.encode(), stderr=subprocess.DEVNULL).returncode == 0


def found_peers():
    """Compiler's and linker's flags for the peers that are there."""
    defines, links = [], []
    folder = blosc2_folder()
    for name, header, library in PEERS:
        flags = []
        if name == 'BLOSC2' and folder:
            flags = ['-isystem', folder + '/include', '-L' + folder + '/lib', '-Wl,-rpath,' + folder + '/lib']
        if probe(header, library, flags):
            defines += ['-DHAVE_' + name] + flags[:2]
            links += flags[2:] + ['-l' + library]
    return defines, links


def run(command):
    if subprocess.run(command).returncode:
        sys.exit('bench: this failed: ' + ' '.join(command))


def build(folder):
    """wcodec as its users compile it ($CFLAGS, else -O2); the peers' glue with -O3, in their favour."""
    os.makedirs(folder, exist_ok=True)
    defines, links = found_peers()
    includes = ['-I' + ROOT, '-I' + os.path.join(ROOT, 'examples', 'wcodec')]
    cflags = shlex.split(os.environ.get('CFLAGS') or '-O2')
    common = compiler() + ['-std=c99', '-fPIC', '-pthread'] + WARN + POSIX + includes
    objects = []
    for source, flags in (('wcodec_side.c', cflags), ('core.c', ['-O2']), ('peers.c', ['-O3'] + defines),
                          ('../../examples/wcodec/threads.c', ['-O2'])):
        objects.append(os.path.join(folder, os.path.basename(source) + '.o'))
        run(common + flags + ['-c', '-o', objects[-1], os.path.join(HERE, source)])
    library = os.path.join(folder, 'libbench.so')
    run(compiler() + ['-shared', '-pthread', '-o', library] + objects + links)
    run(compiler() + WARN + POSIX + ['-std=c99', '-O2', '-o', os.path.join(folder, 'runstat'),
                                     os.path.join(HERE, 'runstat.c')])
    return library


def compiler_text():
    line = subprocess.run(compiler() + ['--version'], stdout=subprocess.PIPE).stdout.decode().split('\n')[0]
    return '%s %s' % (line, os.environ.get('CFLAGS') or '-O2')


class Library:
    """The compiled library, with the types of its functions."""

    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        job, size = ctypes.c_void_p, ctypes.c_size_t
        for name, result, arguments in (
                ('peers_known', size, []), ('peer_name', ctypes.c_char_p, [size]),
                ('peer_package', ctypes.c_char_p, [size]), ('peer_version', ctypes.c_char_p, [size]),
                ('wcodec_version', ctypes.c_char_p, []), ('wcodec_profiles', ctypes.c_uint, []),
                ('cpu', ctypes.c_uint, []),
                ('open', job, [ctypes.c_char_p, ctypes.POINTER(Setup)]), ('close', None, [job]),
                ('packed', size, [job]), ('pieces', size, [job]), ('check', ctypes.c_int, [job]),
                ('encode', ctypes.c_double, [job, ctypes.c_uint]),
                ('decode', ctypes.c_double, [job, ctypes.c_uint]),
                ('window', ctypes.c_double, [job, ctypes.c_uint]),
                ('random', ctypes.c_double, [job, ctypes.c_uint]),
                ('reopen', ctypes.c_double, [job, ctypes.c_uint])):
            function = getattr(self.c, 'bench_' + name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def peers(self):
        """name: (version or None, package)"""
        known = {}
        for i in range(self.peers_known()):
            version = self.peer_version(i)
            text = re.split('[ ,]', version.decode())[0] if version else None
            known[self.peer_name(i).decode()] = (text, self.peer_package(i).decode())
        return known

    def profiles(self):
        return ['fast', 'dense', 'best'][:self.wcodec_profiles()]

    def kernels(self):
        """(name, cpu_off) of those that this machine and this library have."""
        cpu = self.cpu()
        return [(name, 0xFFFFFFFF & ~keep) for name, needs, keep in KERNELS if cpu & needs == needs]


class Job:
    """A contender of the library over one buffer."""
    note = ''

    def __init__(self, library, codec, setup):
        self.codecs = library
        self.setup = setup              # the memory that it points to lives as long as the data set
        self.handle = library.open(codec.encode(), ctypes.byref(setup))

    def good(self):
        return bool(self.handle) and self.codecs.check(self.handle) == 1

    def packed(self):
        return self.codecs.packed(self.handle)

    def seconds(self, op, repeat):
        return getattr(self.codecs, op)(self.handle, repeat)

    def close(self):
        self.codecs.close(self.handle)
        self.handle = None
