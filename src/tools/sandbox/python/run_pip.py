"""Given to an interpreter as text: runs pip with the arguments that follow. Debian keeps pip as a wheel for venv where the
package python3-pip is not installed, and a wheel can be run as it is."""
import glob
import importlib.util
import runpy
import sys

if importlib.util.find_spec("pip") is None:
    wheels = glob.glob("/usr/share/python-wheels/pip-*.whl")
    wheels += glob.glob(sys.prefix + "/lib/python3*/ensurepip/_bundled/pip-*.whl")
    if not wheels:
        sys.exit("pip is not installed (on Debian: apt-get install python3-pip)")
    sys.path.insert(0, sorted(wheels)[-1])
runpy.run_module("pip", run_name="__main__", alter_sys=True)
