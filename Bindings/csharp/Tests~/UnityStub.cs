// SPDX-License-Identifier: MIT
// As much of UnityEngine as the samples need, to compile and run them without Unity.
namespace UnityEngine
{
    public struct Vector3
    {
        public float x, y, z;

        public Vector3(float x, float y, float z)
        {
            this.x = x;
            this.y = y;
            this.z = z;
        }

        public float magnitude { get { return (float)System.Math.Sqrt(x * x + y * y + z * z); } }

        public static Vector3 operator -(Vector3 a, Vector3 b) { return new Vector3(a.x - b.x, a.y - b.y, a.z - b.z); }
    }

    public class Transform
    {
        public Vector3 position { get; set; }
    }

    public class Collision
    {
        public Vector3 relativeVelocity { get; set; }
    }

    public class MonoBehaviour
    {
        private readonly Transform own = new Transform();

        public Transform transform { get { return own; } }
    }

    public static class Application
    {
        public static string persistentDataPath { get; set; }
    }

    public static class Time
    {
        public static float fixedDeltaTime { get { return 0.02f; } }
    }

    public static class Debug
    {
        public static string last;

        public static void Log(object message) { last = message.ToString(); }
    }

    // Names that Unity has as well: the samples must say which they mean.
    public class Logger { }
}
